-- How many staged records fail at least one check.
UPDATE ops.extract SET
    rejected_count = (
        SELECT count(DISTINCT r.record_no) FROM stage.rejection AS r
        WHERE r.extract_id = :extract_id
    )
WHERE extract_id = :extract_id
RETURNING rejected_count
