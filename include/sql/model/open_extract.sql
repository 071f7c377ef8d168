-- The unfinished extract that another shard of the same reading has begun, if there is one.
SELECT e.extract_id FROM ops.extract AS e
WHERE
    e.source = :source
    AND e.period = :period
    AND e.state = 'reading'
    AND e.as_of_date = :as_of_date
    AND e.mapping_hash = :mapping_hash
    AND e.shard_count = :shard_count
    AND e.columns = cast(:columns AS jsonb)
    AND e.reread_reason IS NOT DISTINCT FROM cast(:reread_reason AS text)
