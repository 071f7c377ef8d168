DELETE FROM pii.answer_text AS t
USING core.response AS r
WHERE t.response_id = r.response_id AND r.imported_at < :before
