-- Of fifty or more mails that went to a domain within an hour so many bounced for good that the domain itself
-- is the likelier fault. Hours begin at each half: a jump across a full one lies whole in the other. Not at
-- every mail: of so many looks one would find a jump by chance. What was sent before a person looked at it
-- last does not count again.
INSERT INTO ops.domain_pause (domain_key, campaign, mail_count, hard_count, paused_at)
SELECT DISTINCT ON (j.domain_key)
    j.domain_key,
    :campaign,
    j.mail_count,
    j.hard_count,
    :now
FROM (
    SELECT
        m.domain_key,
        count(*) AS mail_count,
        count(*) FILTER (WHERE m.is_hard_refusal OR b.message_id IS NOT null) AS hard_count
    FROM core.message AS m
    CROSS JOIN (
        VALUES (timestamptz '2000-01-01 00:00+00'), (timestamptz '2000-01-01 00:30+00')
    ) AS o (origin)
    LEFT JOIN (
        SELECT DISTINCT r.message_id
        FROM core.bounce AS r
        WHERE r.verdict = 'hard'
    ) AS b ON m.message_id = b.message_id
    WHERE
        m.purpose = 'survey'
        AND m.ref = :campaign
        AND m.state IN ('sent', 'refused')
        AND m.domain_key IS NOT null
        AND coalesce(m.sent_at, m.due_at) > coalesce(
            (
                SELECT max(p.ended_at)
                FROM ops.domain_pause AS p
                WHERE p.domain_key = m.domain_key
            ),
            '-infinity'
        )
    GROUP BY m.domain_key, o.origin, date_bin('1 hour', coalesce(m.sent_at, m.due_at), o.origin)
) AS j
WHERE
    j.mail_count >= :least
    AND j.hard_count >= j.mail_count * :share
    AND NOT EXISTS (
        SELECT 1
        FROM ops.domain_pause AS p
        WHERE p.domain_key = j.domain_key AND p.ended_at IS null
    )
ORDER BY j.domain_key ASC, j.hard_count DESC
