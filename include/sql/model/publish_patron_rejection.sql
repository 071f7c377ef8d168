INSERT INTO mart.patron_rejection (period, reason_code, record_count, first_count)
SELECT
    :period,
    r.reason_code,
    count(*),
    count(*) FILTER (WHERE r.is_first)
FROM core.rejection AS r
WHERE r.period = :period
GROUP BY r.reason_code
