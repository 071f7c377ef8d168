SELECT DISTINCT e.campaign
FROM ops.campaign_event AS e
WHERE e.kind = 'planned'
