-- An address that does not exist is left in peace at once, unless somebody has lifted that since.
INSERT INTO core.suppression_event (address_key, kind, note, event_at, recorded_at, message_id)
SELECT DISTINCT ON (b.address_key)
    b.address_key,
    'hard_bounce',
    b.rule,
    k.received_at,
    :now,
    b.message_id
FROM core.bounce AS b
INNER JOIN pii.returned_mail AS k ON b.mail_id = k.mail_id
INNER JOIN core.message AS m ON b.message_id = m.message_id
WHERE
    b.mail_id = ANY(:mail_ids)
    AND b.verdict = 'hard'
    AND m.purpose = 'survey'
    AND NOT EXISTS (
        SELECT 1 FROM core.suppression AS s
        WHERE s.address_key = b.address_key AND s.kind = 'hard_bounce'
    )
    AND NOT EXISTS (
        SELECT 1
        FROM core.suppression_event AS l
        INNER JOIN core.suppression_event AS e ON l.lifts_event_id = e.event_id
        WHERE
            e.address_key = b.address_key AND e.kind = 'hard_bounce' AND l.event_at > k.received_at
    )
ORDER BY b.address_key, k.received_at, b.mail_id
