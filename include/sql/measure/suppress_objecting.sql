-- Who says no, by mail or by a click, or calls it spam, is left in peace as a person and at this address:
-- every record of the person gets the event, for whichever of them comes first next month.
INSERT INTO core.suppression_event (address_key, patron_key, kind, note, event_at, recorded_at, message_id)
WITH objection AS (
    SELECT
        b.message_id,
        b.address_key,
        b.rule,
        CASE b.verdict WHEN 'complaint' THEN 'complaint' ELSE 'opt_out' END AS kind
    FROM core.bounce AS b
    WHERE b.mail_id = ANY(:mail_ids) AND b.verdict IN ('complaint', 'opt-out')
    UNION ALL
    SELECT
        m.message_id,
        m.recipient_key,
        'one click',
        'opt_out'
    FROM core.message AS m
    WHERE m.message_id = ANY(:message_ids)
)

SELECT
    n.address_key,
    n.patron_key,
    n.kind,
    n.rule,
    :now AS event_at,
    :now AS recorded_at,
    n.message_id
FROM (
    SELECT
        o.address_key,
        NULL::uuid AS patron_key,
        o.message_id,
        o.rule,
        o.kind
    FROM objection AS o
    WHERE o.address_key IS NOT NULL
    UNION
    SELECT
        NULL,
        p.patron_key,
        o.message_id,
        o.rule,
        o.kind
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
ORDER BY n.address_key, n.patron_key
