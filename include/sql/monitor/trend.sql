SELECT
    f.period,
    f.real_customer_count,
    f.definition_hash
FROM mart.patron_funnel AS f
WHERE f.period BETWEEN :first AND :last
ORDER BY f.period
