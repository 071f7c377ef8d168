INSERT INTO pii.address (address_key, address)
SELECT DISTINCT ON (p.address_key)
    p.address_key,
    p.email
FROM stage.patron AS p
WHERE
    p.extract_id = :extract_id
    AND p.address_key IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM pii.address AS known
        WHERE known.address_key = p.address_key
    )
ORDER BY p.address_key, p.record_no
ON CONFLICT DO NOTHING
