-- What is known of the waves that went out so far: counts of mails, when the last one went, when the
-- mailbox of bounces was read, and whether it held the canary's.
SELECT
    count(*) FILTER (WHERE m.state IN ('queued', 'sending', 'uncertain')) AS open_count,
    count(*) FILTER (WHERE m.state = 'uncertain') AS uncertain_count,
    max(m.smtp_code) FILTER (WHERE m.state = 'queued' AND m.smtp_code >= 500) AS refused_code,
    count(*) FILTER (WHERE m.state IN ('sent', 'refused')) AS sent_count,
    count(*) FILTER (WHERE m.state IN ('given up', 'withdrawn')) AS unsent_count,
    count(*) FILTER (WHERE m.state = 'given up') AS given_up_count,
    count(*) FILTER (
        WHERE
        m.is_hard_refusal
        OR EXISTS (
            SELECT 1 FROM core.bounce AS b
            WHERE b.message_id = m.message_id AND b.verdict = 'hard'
        )
    ) AS hard_count,
    max(m.sent_at) AS last_sent_at,
    (
        SELECT r.read_at FROM ops.mailbox_reading AS r
        WHERE r.mailbox = 'bounces'
    ) AS read_at,
    exists(
        SELECT 1
        FROM core.message AS c
        INNER JOIN core.bounce AS b ON c.message_id = b.message_id
        WHERE
            c.purpose = 'canary'
            AND c.ref = :campaign
            AND c.step = :canary
            AND b.verdict = 'hard'
    ) AS has_canary,
    exists(
        SELECT 1 FROM core.message AS c
        WHERE
            c.purpose = 'canary'
            AND c.ref = :campaign
            AND c.step = :canary
            AND c.recipient_key = :canary_key
            AND c.is_hard_refusal
    ) AS is_canary_refused
FROM core.message AS m
WHERE m.purpose = 'survey' AND m.ref = :campaign AND m.step = 'invite'
