-- Who objected is rejected for that alone.
DELETE FROM stage.rejection AS r
USING pii.quarantine AS q
WHERE r.extract_id = q.extract_id AND r.record_no = q.record_no AND q.reason_code = 'objected'
