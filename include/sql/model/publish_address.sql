-- Only of whom mail may be sent to: the other addresses are not kept.
INSERT INTO pii.address (address_key, address)
SELECT DISTINCT ON (p.address_key)
    p.address_key,
    p.email
FROM stage.patron AS p
INNER JOIN core.patron_month AS m ON m.period = :period AND p.record_no = m.record_no
WHERE
    p.extract_id = :extract_id
    AND m.is_real_customer
    AND NOT EXISTS (
        SELECT 1 FROM pii.address AS known
        WHERE known.address_key = p.address_key
    )
ORDER BY p.address_key, p.record_no
ON CONFLICT DO NOTHING
