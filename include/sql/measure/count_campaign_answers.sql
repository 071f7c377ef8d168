INSERT INTO mart.campaign_answer (campaign, question_code, option_code, response_count, counted_at)
SELECT
    :campaign,
    a.question_code,
    a.option_code,
    count(*),
    cast(:now AS timestamptz)
FROM core.response AS r
INNER JOIN core.answer AS a ON r.response_id = a.response_id
WHERE r.campaign = :campaign AND r.kind = 'counted'
GROUP BY a.question_code, a.option_code
