-- Only tokens that were given to somebody: what else people typed there is nobody's business.
INSERT INTO pii.response_token (response_id, token)
SELECT
    r.response_id,
    r.token
FROM pg_temp.read_response AS r
INNER JOIN pii.survey_token AS t ON r.token = t.token
WHERE r.is_written AND t.campaign = :campaign AND r.row_no >= :first AND r.row_no < :until
ON CONFLICT (response_id) DO NOTHING
