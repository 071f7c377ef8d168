SELECT count(DISTINCT r.record_no) FROM stage.rejection AS r
WHERE r.extract_id = :extract_id
