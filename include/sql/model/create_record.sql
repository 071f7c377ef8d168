-- What is published of each record, while a period is being published; an address of real customers only,
-- an identity of new patrons only.
CREATE TEMPORARY TABLE record (
    record_no bigint NOT NULL,
    patron_key uuid,
    new_source_id text,
    group_code text NOT NULL,
    address_key bytea,
    email text,
    reason_codes text[],
    is_outside boolean NOT NULL
) ON COMMIT DROP
