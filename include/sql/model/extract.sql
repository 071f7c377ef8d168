SELECT
    e.extract_id,
    e.state,
    e.as_of_date,
    e.shard_count,
    (
        SELECT count(*) FROM ops.extract_shard AS s
        WHERE s.extract_id = e.extract_id
    ) AS read_shard_count
FROM ops.extract AS e
WHERE e.extract_id = :extract_id
