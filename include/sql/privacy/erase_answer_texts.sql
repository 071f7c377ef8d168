DELETE FROM pii.answer_text AS a
USING pii.response_token AS r, pii.survey_token AS t
WHERE a.response_id = r.response_id AND r.token = t.token AND t.person_key = :patron_key
