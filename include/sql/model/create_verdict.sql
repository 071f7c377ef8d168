-- All reasons of each rejected record in their fixed order, while a period is being published.
CREATE TEMPORARY TABLE verdict (
    record_no bigint NOT NULL,
    reason_codes text[] NOT NULL,
    is_outside boolean NOT NULL
) ON COMMIT DROP
