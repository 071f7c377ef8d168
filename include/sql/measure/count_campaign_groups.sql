-- What became of each invited person, by group. Hard: the address turned out to be dead, whichever mail told
-- it. Soft: the invitation came back for another reason. Nobody is sampled until all that was opened has gone
-- out, has had its time to come back and was read, and each canary came back: bounces do reach the mailbox.
WITH came_back AS (
    SELECT
        m.recipient_key,
        bool_or(b.verdict = 'hard') AS is_hard,
        bool_or(b.verdict = 'soft' AND m.step = 'invite') AS is_soft
    FROM core.message AS m
    INNER JOIN core.bounce AS b ON m.message_id = b.message_id
    WHERE m.purpose = 'survey' AND m.ref = :campaign
    GROUP BY m.recipient_key
),

-- By a click too, of which no mail came back.
objecting AS (
    SELECT DISTINCT m.recipient_key
    FROM core.suppression_event AS e
    INNER JOIN core.message AS m ON e.message_id = m.message_id
    WHERE m.purpose = 'survey' AND m.ref = :campaign AND e.kind IN ('opt_out', 'complaint')
),

person AS (
    SELECT
        i.group_code,
        m.state,
        (m.is_hard_refusal OR coalesce(c.is_hard, false)) AS is_hard,
        (m.state IN ('refused', 'given up') OR coalesce(c.is_soft, false)) AS is_soft,
        (m.state = 'sent' OR m.is_hard_refusal OR coalesce(c.is_hard OR c.is_soft, false)) AS is_sampled,
        o.recipient_key IS NOT null AS has_opted_out
    FROM core.invitation AS i
    INNER JOIN core.message AS m ON i.campaign = m.ref AND i.address_key = m.recipient_key
    LEFT JOIN came_back AS c ON m.recipient_key = c.recipient_key
    LEFT JOIN objecting AS o ON m.recipient_key = o.recipient_key
    WHERE i.campaign = :campaign AND m.purpose = 'survey' AND m.step = 'invite'
),

answered AS (
    SELECT
        r.group_code,
        count(*) AS answered_count
    FROM core.response AS r
    WHERE r.campaign = :campaign AND r.kind = 'counted'
    GROUP BY r.group_code
),

rest AS (
    SELECT
        bool_and(m.state NOT IN ('queued', 'sending'))
        AND max(m.sent_at) + cast(:wait AS interval) <= (
            SELECT r.read_at FROM ops.mailbox_reading AS r
            WHERE r.mailbox = 'bounces'
        )
        AND NOT EXISTS (
            SELECT 1 FROM core.message AS c
            WHERE
                c.purpose = 'canary'
                AND c.ref = :campaign
                AND NOT EXISTS (
                    SELECT 1 FROM core.bounce AS b
                    WHERE b.message_id = c.message_id AND b.verdict = 'hard'
                )
        ) AS has_come
    FROM core.message AS m
    WHERE m.purpose = 'survey' AND m.ref = :campaign AND m.step = 'invite'
)

INSERT INTO mart.campaign_group
(
    campaign, group_code, frame_count, invited_count, sent_count, hard_bounced_count, soft_bounced_count,
    uncertain_count, delivered_count, opted_out_count, answered_count,
    sampled_count, counted_at
)
SELECT
    :campaign,
    f.group_code,
    f.frame_count,
    count(*) FILTER (WHERE p.state IN ('sent', 'refused', 'uncertain', 'sending', 'given up')),
    count(*) FILTER (WHERE p.state = 'sent'),
    count(*) FILTER (WHERE p.is_hard),
    count(*) FILTER (WHERE p.is_soft AND NOT p.is_hard),
    count(*) FILTER (WHERE p.state IN ('uncertain', 'sending') AND NOT p.is_hard AND NOT p.is_soft),
    count(*) FILTER (WHERE p.state = 'sent' AND NOT p.is_hard AND NOT p.is_soft),
    count(*) FILTER (WHERE p.has_opted_out),
    coalesce(max(a.answered_count), 0),
    count(*) FILTER (WHERE p.is_sampled AND r.has_come),
    :now
FROM unnest(cast(:groups AS text[]), cast(:frame_counts AS bigint[])) AS f (group_code, frame_count)
LEFT JOIN person AS p ON f.group_code = p.group_code
LEFT JOIN answered AS a ON f.group_code = a.group_code
CROSS JOIN rest AS r
GROUP BY f.group_code, f.frame_count
