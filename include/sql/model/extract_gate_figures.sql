-- What the gates ask of an extract, beside the row count of the last period that was published.
WITH quarantined AS (
    SELECT
        count(*) FILTER (WHERE q.reason_code = 'undecodable') AS undecodable_count,
        count(*) FILTER (WHERE q.reason_code = 'malformed') AS malformed_count
    FROM pii.quarantine AS q
    WHERE q.extract_id = :extract_id
),

-- Each shard is read at an instant of its own: what they hold together lies between the wholes seen then.
shards AS (
    SELECT
        min(s.whole_count) AS least_count,
        max(s.whole_count) AS most_count
    FROM ops.extract_shard AS s
    WHERE s.extract_id = :extract_id
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
    q.undecodable_count,
    q.malformed_count,
    s.least_count,
    s.most_count,
    (SELECT count(*) FROM repeated) AS repeated_id_count,
    l.period AS last_period,
    l.extracted_count AS last_count
FROM ops.extract AS e
CROSS JOIN quarantined AS q
CROSS JOIN shards AS s
LEFT JOIN last_period AS l ON true
WHERE e.extract_id = :extract_id
