INSERT INTO ops.extract_shard (extract_id, shard, source_count, whole_count, read_at)
VALUES (:extract_id, :shard, :source_count, :whole_count, :read_at)
