WITH forgotten AS (
    DELETE FROM pii.quarantine AS q
    WHERE q.extract_id = :extract_id
)

DELETE FROM stage.rejection AS r
WHERE r.extract_id = :extract_id
