-- Whose the token is tells the group and nothing else. Those whose token was given out are judged afterwards;
-- after the campaign is closed no token is known any more.
WITH added AS (
    INSERT INTO core.response
    (campaign, response_key, form_hash, group_code, language, kind, answered_at, imported_at)
    SELECT
        :campaign,
        r.response_key,
        :form_hash,
        i.group_code,
        r.form_language,
        CASE
            WHEN r.token IS NULL THEN 'tokenless'
            WHEN t.token IS NOT NULL THEN 'counted'
            WHEN r.answered_at > :end_at THEN 'late'
            ELSE 'unknown token'
        END,
        r.answered_at,
        :now
    FROM pg_temp.read_response AS r
    LEFT JOIN pii.survey_token AS t ON r.token = t.token AND t.campaign = :campaign
    LEFT JOIN core.invitation AS i ON t.campaign = i.campaign AND t.person_key = i.person_key
    WHERE r.response_id IS NULL
    ORDER BY r.row_no
    RETURNING response_id, response_key
)

UPDATE pg_temp.read_response AS r SET
    response_id = a.response_id,
    is_written = TRUE
FROM added AS a
WHERE r.response_key = a.response_key
