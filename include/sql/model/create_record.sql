-- What is published of each record, while a period is being published; an address of real customers only,
-- an identity of new patrons only.
CREATE TEMPORARY TABLE record (
    record_no bigint NOT NULL,
    patron_key uuid,
    is_outside boolean NOT NULL,
    is_single_name boolean NOT NULL,
    is_likely_typo boolean NOT NULL,
    contradiction text,
    group_code text NOT NULL,
    reason_codes text[],
    same_person bigint[],
    address_key bytea,
    email text,
    new_source_id text
) ON COMMIT DROP
