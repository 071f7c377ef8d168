-- The relay itself has refused these at once: there is no such address.
INSERT INTO core.suppression_event (address_key, kind, note, event_at, recorded_at, message_id)
SELECT DISTINCT ON (m.recipient_key)
    m.recipient_key,
    'hard_bounce',
    'refused at once',
    :now AS event_at,
    :now AS recorded_at,
    m.message_id
FROM core.message AS m
WHERE
    m.purpose = 'survey'
    AND m.ref = :ref
    AND m.is_hard_refusal
    AND NOT EXISTS (
        SELECT 1 FROM core.suppression_event AS e
        WHERE e.message_id = m.message_id AND e.kind = 'hard_bounce'
    )
ORDER BY m.recipient_key, m.message_id
