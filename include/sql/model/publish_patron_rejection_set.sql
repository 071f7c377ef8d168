INSERT INTO mart.patron_rejection_set (period, reason_codes, record_count)
SELECT
    :period,
    c.reason_codes,
    sum(c.record_count)
FROM stage.verdict_count AS c
WHERE c.reason_codes IS NOT null
GROUP BY c.reason_codes
