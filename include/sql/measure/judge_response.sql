-- The first response with a token counts, whichever file brought it; where the tokens are deleted what was
-- judged stays.
UPDATE core.response AS r SET kind = j.kind
FROM (
    SELECT
        s.response_id,
        CASE
            WHEN row_number() OVER (PARTITION BY t.token ORDER BY s.answered_at, s.response_key) > 1
                THEN 'doubled'
            WHEN s.answered_at > :end_at THEN 'late'
            ELSE 'counted'
        END AS kind
    FROM core.response AS s
    INNER JOIN pii.response_token AS g ON s.response_id = g.response_id
    INNER JOIN pii.survey_token AS t ON g.token = t.token
    WHERE s.campaign = :campaign
) AS j
WHERE r.response_id = j.response_id AND r.kind != j.kind
