-- In the fixed order of first reasons; reasons that a suite adds come after them.
SELECT
    r.reason_code,
    r.record_count,
    r.first_count
FROM mart.patron_rejection AS r
LEFT JOIN core.reason AS c ON r.reason_code = c.reason_code
WHERE r.period = :period
ORDER BY c.rank NULLS LAST, r.reason_code
