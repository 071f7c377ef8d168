SELECT
    e.kind AS what,
    e.event_at,
    e.recorded_at,
    e.note,
    a.address AS email_address,
    encode(e.address_key, 'hex') AS digest_of_the_address,
    exists(
        SELECT 1 FROM core.suppression AS s
        WHERE s.event_id = e.event_id
    ) AS is_in_force
FROM core.suppression_event AS e
LEFT JOIN pii.address AS a ON e.address_key = a.address_key
WHERE e.patron_key = :patron_key OR e.address_key = any(cast(:address_keys AS bytea[]))
ORDER BY e.event_id
