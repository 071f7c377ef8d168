-- A list that was taken away is gone with its work.
DELETE FROM ops.work_file AS f
WHERE f.file != ALL(:files)
