-- What is read anew.
DELETE FROM pii.answer_text AS t
USING pg_temp.read_response AS r
WHERE r.is_written AND t.response_id = r.response_id
