-- Once a day at most, whatever the relay reports of its attempts.
INSERT INTO core.suppression_event (address_key, kind, note, event_at, recorded_at, message_id)
SELECT DISTINCT ON (b.address_key, date_trunc('day', k.received_at, :zone))
    b.address_key,
    'soft_bounce',
    b.rule,
    k.received_at,
    :now,
    b.message_id
FROM core.bounce AS b
INNER JOIN pii.returned_mail AS k ON b.mail_id = k.mail_id
INNER JOIN core.message AS m ON b.message_id = m.message_id
WHERE
    b.mail_id = any(:mail_ids)
    AND b.verdict = 'soft'
    AND m.purpose = 'survey'
    AND NOT EXISTS (
        SELECT 1 FROM core.suppression_event AS e
        WHERE
            e.address_key = b.address_key
            AND e.kind = 'soft_bounce'
            AND date_trunc('day', e.event_at, :zone) = date_trunc('day', k.received_at, :zone)
    )
ORDER BY b.address_key, date_trunc('day', k.received_at, :zone), b.mail_id
