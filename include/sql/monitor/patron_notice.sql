SELECT
    n.notice_code,
    n.record_count
FROM mart.patron_notice AS n
WHERE n.period = :period
