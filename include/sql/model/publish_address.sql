-- Only of whom mail may be sent to: the other addresses are not kept.
INSERT INTO pii.address (address_key, address)
SELECT DISTINCT ON (r.address_key)
    r.address_key,
    r.email
FROM stage.record AS r
WHERE
    r.email IS NOT null
    AND NOT EXISTS (
        SELECT 1 FROM pii.address AS known
        WHERE known.address_key = r.address_key
    )
ORDER BY r.address_key, r.record_no
ON CONFLICT DO NOTHING
