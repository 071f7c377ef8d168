-- What the person said holds for his addresses from now on.
INSERT INTO core.suppression_event (address_key, kind, note, event_at, recorded_at, message_id)
SELECT DISTINCT ON (a.address_key, e.kind)
    a.address_key,
    e.kind,
    e.note,
    e.event_at,
    :now AS recorded_at,
    e.message_id
FROM core.suppression AS s
INNER JOIN core.suppression_event AS e ON s.event_id = e.event_id
CROSS JOIN unnest(cast(:address_keys AS bytea[])) AS a (address_key)
WHERE
    s.patron_key = :patron_key
    AND NOT EXISTS (
        SELECT 1 FROM core.suppression AS known
        WHERE known.address_key = a.address_key AND known.kind = e.kind
    )
ORDER BY a.address_key, e.kind, e.event_id
