SELECT
    a.question_code,
    a.option_code,
    a.response_count
FROM mart.campaign_answer AS a
WHERE a.campaign = :campaign
ORDER BY a.question_code, a.option_code
