-- What is read anew.
DELETE FROM core.answer AS a
USING pg_temp.read_response AS r
WHERE r.is_written AND a.response_id = r.response_id
