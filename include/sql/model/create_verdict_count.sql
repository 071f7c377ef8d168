-- How many records of a group fail for one combination of reasons; for none: the real customers.
CREATE TEMPORARY TABLE verdict_count (
    group_code text NOT NULL,
    reason_codes text[],
    record_count bigint NOT NULL
) ON COMMIT DROP
