-- An address that does not exist is left in peace at once.
INSERT INTO core.suppression_event (address_key, kind, note, event_at, recorded_at, message_id)
SELECT DISTINCT ON (b.address_key)
    b.address_key,
    'hard_bounce',
    b.rule,
    :now AS event_at,
    :now AS recorded_at,
    b.message_id
FROM core.bounce AS b
INNER JOIN core.message AS m ON b.message_id = m.message_id
WHERE
    b.mail_id = ANY(:mail_ids)
    AND b.verdict = 'hard'
    AND m.purpose = 'survey'
    AND NOT EXISTS (
        SELECT 1 FROM core.suppression AS s
        WHERE s.address_key = b.address_key AND s.kind = 'hard_bounce'
    )
ORDER BY b.address_key, b.mail_id
