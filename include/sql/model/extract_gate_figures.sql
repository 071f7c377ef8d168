-- What the gates ask of an extract, beside the row count of the last period that was published.
WITH undecodable AS (
    SELECT count(*) AS record_count
    FROM pii.quarantine AS q
    WHERE q.extract_id = :extract_id AND q.reason_code = 'undecodable'
),

repeated AS (
    SELECT p.source_id
    FROM stage.patron AS p
    WHERE p.extract_id = :extract_id
    GROUP BY p.source_id
    HAVING count(*) > 1
),

last_period AS (
    SELECT
        f.period,
        f.extracted_count
    FROM mart.patron_funnel AS f
    WHERE f.period < :period
    ORDER BY f.period DESC
    LIMIT 1
)

SELECT
    e.source_count,
    e.columns,
    u.record_count AS undecodable_count,
    (SELECT count(*) FROM repeated) AS repeated_id_count,
    l.period AS last_period,
    l.extracted_count AS last_count
FROM ops.extract AS e
CROSS JOIN undecodable AS u
LEFT JOIN last_period AS l ON true
WHERE e.extract_id = :extract_id
