SELECT
    s.stopped_at,
    s.stopped_by,
    s.reason
FROM ops.mail_stop AS s
WHERE s.started_at IS NULL
