INSERT INTO ops.mail_stop (stopped_at, stopped_by, reason)
SELECT
    :now,
    :by,
    :reason
WHERE NOT EXISTS (
    SELECT 1 FROM ops.mail_stop AS s
    WHERE s.started_at IS NULL
)
