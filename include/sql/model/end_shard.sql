INSERT INTO ops.extract_shard (extract_id, shard, source_count, read_at)
VALUES (:extract_id, :shard, :source_count, :read_at)
