SELECT
    f.file,
    f.items,
    f.read_at
FROM ops.work_file AS f
ORDER BY f.file
