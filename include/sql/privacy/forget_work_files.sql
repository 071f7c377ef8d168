DELETE FROM ops.work_file AS f
WHERE f.read_at < :before
