-- The share of real customers that publishing would give, beside the last period's under one definition.
WITH checked AS (
    SELECT count(DISTINCT r.record_no) AS rejected_count
    FROM stage.rejection AS r
    WHERE r.extract_id = :extract_id
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
    (e.staged_count - c.rejected_count)::double precision / nullif(e.source_count, 0) AS real_share,
    l.period AS last_period,
    l.real_share AS last_share
FROM ops.extract AS e
CROSS JOIN checked AS c
LEFT JOIN last_period AS l ON true
WHERE e.extract_id = :extract_id
