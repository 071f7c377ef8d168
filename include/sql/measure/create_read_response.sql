-- Where the responses of a file lie for the length of the transaction. Written are those that are new, and
-- those that are read anew.
CREATE TEMPORARY TABLE read_response (
    row_no integer NOT NULL,
    response_key bytea NOT NULL,
    token text,
    form_language text,
    answered_at timestamptz NOT NULL,
    response_id bigint,
    is_written boolean NOT NULL DEFAULT false
) ON COMMIT DROP
