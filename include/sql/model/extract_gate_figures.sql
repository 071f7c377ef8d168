-- What the gates ask of an extract, beside the row count of the last period that was published.
SELECT
    e.source_count,
    coalesce((
        SELECT count(*) FROM pii.quarantine AS q
        WHERE q.extract_id = :extract_id AND q.reason_code = 'undecodable'
    ), 0) AS undecodable_count,
    (
        SELECT count(*) FROM (
            SELECT p.source_id FROM stage.patron AS p
            WHERE p.extract_id = :extract_id
            GROUP BY p.source_id
            HAVING count(*) > 1
        ) AS repeated
    ) AS repeated_id_count,
    last_period.period AS last_period,
    last_period.extracted_count AS last_count
FROM ops.extract AS e
LEFT JOIN LATERAL (
    SELECT
        f.period,
        f.extracted_count
    FROM mart.patron_funnel AS f
    WHERE f.period < :period
    ORDER BY f.period DESC
    LIMIT 1
) AS last_period ON true
WHERE e.extract_id = :extract_id
