SELECT
    e.extract_id,
    e.source,
    e.as_of_at,
    e.as_of_date,
    e.source_count,
    e.mapping_hash,
    e.reread_reason
FROM ops.extract AS e
WHERE e.period = :period AND e.state = 'accepted'
