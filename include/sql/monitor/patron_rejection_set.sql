-- The largest combinations first.
SELECT
    s.reason_codes,
    s.record_count
FROM mart.patron_rejection_set AS s
WHERE s.period = :period
ORDER BY s.record_count DESC, s.reason_codes ASC
