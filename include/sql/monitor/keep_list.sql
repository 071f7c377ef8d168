INSERT INTO ops.work_file (file, items, read_at)
VALUES (:file, cast(:items AS jsonb), :read_at)
ON CONFLICT (file) DO UPDATE SET items = excluded.items, read_at = excluded.read_at
