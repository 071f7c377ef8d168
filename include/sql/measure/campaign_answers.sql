SELECT
    a.question_code,
    a.option_code,
    a.response_count,
    a.answered_count,
    a.form_hash
FROM mart.campaign_answer AS a
WHERE a.campaign = :campaign
ORDER BY a.question_code, a.option_code
