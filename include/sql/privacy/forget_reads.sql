DELETE FROM ops.pii_read AS r
WHERE r.read_at < :before
