CREATE TEMPORARY TABLE rejected_count (
    group_code text NOT NULL,
    reason_codes text[] NOT NULL,
    record_count bigint NOT NULL
) ON COMMIT DROP
