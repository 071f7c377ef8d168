-- Whether a mail is due whose domain has had its share for now.
SELECT
    EXISTS (
        SELECT 1
        FROM core.message AS m
        INNER JOIN ops.mail_bucket AS b ON m.domain_key = b.bucket_key
        WHERE
            m.purpose = :purpose
            AND m.ref = :ref
            AND m.state = 'queued'
            AND m.due_at <= :now
            AND b.next_at > :machine_now
            AND NOT EXISTS (
                SELECT 1
                FROM ops.domain_pause AS p
                WHERE p.domain_key = m.domain_key AND p.ended_at IS NULL
            )
    )
    AND NOT EXISTS (
        SELECT 1
        FROM ops.mail_stop AS s
        WHERE s.started_at IS NULL
    ) AS has_waiting
