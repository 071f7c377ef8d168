INSERT INTO mart.patron_rejection_set (period, reason_codes, record_count)
SELECT
    :period,
    c.reason_codes,
    sum(c.record_count)
FROM pg_temp.rejected_count AS c
GROUP BY c.reason_codes
