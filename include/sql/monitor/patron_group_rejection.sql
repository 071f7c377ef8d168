-- Groups and reasons in their fixed orders.
SELECT
    r.group_code,
    r.reason_code,
    r.record_count,
    r.first_count
FROM mart.patron_group_rejection AS r
INNER JOIN core.patron_group AS g ON r.group_code = g.group_code
LEFT JOIN core.reason AS c ON r.reason_code = c.reason_code
WHERE r.period = :period
ORDER BY g.rank, c.rank NULLS LAST, r.reason_code
