-- Who says no, by mail or by a click, or calls it spam, is left in peace as a person and at this address:
-- every record of the person gets the event, for whichever of them comes first next month. What somebody has
-- lifted since does not come back.
INSERT INTO core.suppression_event (address_key, patron_key, kind, note, event_at, recorded_at, message_id)
WITH objection AS (
    SELECT
        b.message_id,
        b.address_key,
        b.rule,
        CASE b.verdict WHEN 'complaint' THEN 'complaint' ELSE 'opt_out' END AS kind,
        k.received_at AS said_at
    FROM core.bounce AS b
    INNER JOIN pii.returned_mail AS k ON b.mail_id = k.mail_id
    WHERE b.mail_id = ANY(:mail_ids) AND b.verdict IN ('complaint', 'opt-out')
    UNION ALL
    SELECT
        m.message_id,
        m.recipient_key,
        'one click',
        'opt_out',
        CAST(:now AS timestamptz)
    FROM core.message AS m
    WHERE m.message_id = ANY(:message_ids)
)

SELECT
    n.address_key,
    n.patron_key,
    n.kind,
    n.rule,
    n.said_at,
    :now,
    n.message_id
FROM (
    SELECT
        o.address_key,
        NULL::uuid AS patron_key,
        o.message_id,
        o.rule,
        o.kind,
        o.said_at
    FROM objection AS o
    WHERE o.address_key IS NOT NULL
    UNION
    SELECT
        NULL,
        p.patron_key,
        o.message_id,
        o.rule,
        o.kind,
        o.said_at
    FROM objection AS o
    INNER JOIN core.message AS m ON o.message_id = m.message_id AND m.purpose = 'survey'
    INNER JOIN core.invitation AS i ON m.ref = i.campaign AND m.recipient_key = i.address_key
    INNER JOIN core.patron_month AS p ON i.period = p.period AND i.person_key = p.person_key
) AS n
WHERE
    NOT EXISTS (
        SELECT 1 FROM core.suppression AS s
        WHERE s.kind = n.kind AND (s.address_key = n.address_key OR s.patron_key = n.patron_key)
    )
    AND NOT EXISTS (
        SELECT 1
        FROM core.suppression_event AS l
        INNER JOIN core.suppression_event AS e ON l.lifts_event_id = e.event_id
        WHERE
            e.kind = n.kind
            AND (e.address_key = n.address_key OR e.patron_key = n.patron_key)
            AND l.event_at > n.said_at
    )
ORDER BY n.address_key, n.patron_key
