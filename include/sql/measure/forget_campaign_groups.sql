DELETE FROM mart.campaign_group
WHERE campaign = :campaign
