DELETE FROM pii.response_token AS r
USING pii.survey_token AS t
WHERE r.token = t.token AND t.person_key = :patron_key
