DELETE FROM ops.extract_shard AS s
WHERE s.extract_id = :extract_id AND s.shard = :shard
