-- The relay was the fault, not the addresses. What people said themselves stays.
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
WHERE
    s.kind = 'hard_bounce'
    AND s.event_at >= :since
    AND s.event_at < :until
    AND (cast(:campaign AS text) IS NULL OR (m.purpose = 'survey' AND m.ref = :campaign))
    AND (cast(:domain_key AS bytea) IS NULL OR m.domain_key = :domain_key)
ORDER BY s.event_id
