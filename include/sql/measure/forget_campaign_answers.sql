DELETE FROM mart.campaign_answer
WHERE campaign = :campaign
