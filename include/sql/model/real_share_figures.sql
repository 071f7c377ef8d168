-- The share of real customers that publishing would give, beside the last period's under one definition.
WITH judged AS (
    SELECT count(*) AS rejected_count FROM stage.verdict
),

last_period AS (
    SELECT
        f.period,
        f.real_customer_count::double precision / nullif(f.extracted_count, 0) AS real_share
    FROM mart.patron_funnel AS f
    WHERE f.period < :period AND f.definition_hash = :definition_hash
    ORDER BY f.period DESC
    LIMIT 1
)

SELECT
    (e.source_count - j.rejected_count)::double precision / nullif(e.source_count, 0) AS real_share,
    l.period AS last_period,
    l.real_share AS last_share
FROM ops.extract AS e
CROSS JOIN judged AS j
LEFT JOIN last_period AS l ON true
WHERE e.extract_id = :extract_id
