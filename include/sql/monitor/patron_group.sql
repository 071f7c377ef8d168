SELECT
    g.group_code,
    g.extracted_count,
    g.real_customer_count
FROM mart.patron_group AS g
INNER JOIN core.patron_group AS c ON g.group_code = c.group_code
WHERE g.period = :period
ORDER BY c.rank
