INSERT INTO ops.retention_run (place, deleted_count, run_at)
VALUES (:place, :deleted_count, :run_at)
