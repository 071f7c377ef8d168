WITH forgotten AS (
    DELETE FROM ops.quality_result AS q
    WHERE q.extract_id = :extract_id
)

DELETE FROM stage.rejection AS r
WHERE r.extract_id = :extract_id
