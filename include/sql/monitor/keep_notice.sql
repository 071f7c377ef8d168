INSERT INTO ops.work_notice (period, notice_no, told)
VALUES (:period, :notice_no, cast(:told AS text[]))
ON CONFLICT (period) DO UPDATE SET notice_no = excluded.notice_no, told = excluded.told
