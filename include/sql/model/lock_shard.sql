-- One reading of a shard at a time, held until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('shard ' || :extract_id || ' ' || :shard, 0))
