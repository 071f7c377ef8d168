-- The domain was the fault, not its addresses.
INSERT INTO core.suppression_event
(address_key, kind, lifts_event_id, note, event_at, recorded_at)
SELECT
    s.address_key,
    'lifted',
    s.event_id,
    :note,
    :now AS event_at,
    :now AS recorded_at
FROM core.suppression AS s
INNER JOIN core.suppression_event AS e ON s.event_id = e.event_id
INNER JOIN core.message AS m ON e.message_id = m.message_id
WHERE m.domain_key = :domain_key AND s.is_provisional
ORDER BY s.event_id
