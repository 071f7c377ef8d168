SELECT
    n.notice_no,
    n.told
FROM ops.work_notice AS n
WHERE n.period = :period
