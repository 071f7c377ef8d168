-- Whether there is anything to send: a dialogue with the mail server is opened for nothing else.
SELECT
    EXISTS (
        SELECT 1 FROM core.message AS m
        WHERE
            m.purpose = :purpose AND m.ref = :ref AND m.state = 'queued' AND m.due_at <= :now
    )
    AND NOT EXISTS (
        SELECT 1 FROM ops.mail_stop AS s
        WHERE s.started_at IS NULL
    ) AS has_due
