INSERT INTO ops.pii_read (read_at, actor, command, purpose, tombstone_key, row_count)
VALUES (:read_at, :actor, :command, :purpose, :tombstone_key, :row_count)
