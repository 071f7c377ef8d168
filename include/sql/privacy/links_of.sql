SELECT t.token FROM pii.survey_token AS t
WHERE t.person_key = :patron_key
