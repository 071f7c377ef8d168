WITH people AS (
    SELECT p.address
    FROM unnest(cast(:addresses AS text[])) AS p (address)
),

gone AS (
    DELETE FROM pii.alert_address AS a
    WHERE NOT EXISTS (
        SELECT 1 FROM people AS p
        WHERE p.address = a.address
    )
)

INSERT INTO pii.alert_address (address)
SELECT p.address FROM people AS p
ON CONFLICT DO NOTHING
