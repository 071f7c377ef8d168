-- Of the address; with what the person said, also of every record whose objection came through that address.
INSERT INTO core.suppression_event
(address_key, patron_key, kind, lifts_event_id, note, event_at, recorded_at)
SELECT
    s.address_key,
    s.patron_key,
    'lifted',
    s.event_id,
    :note,
    :now AS event_at,
    :now AS recorded_at
FROM core.suppression AS s
INNER JOIN core.suppression_event AS e ON s.event_id = e.event_id
LEFT JOIN core.message AS m ON e.message_id = m.message_id
WHERE
    (s.address_key = :address_key OR (s.patron_key IS NOT null AND m.recipient_key = :address_key))
    AND (s.kind IN ('hard_bounce', 'soft_bounces') OR :is_objection_too)
