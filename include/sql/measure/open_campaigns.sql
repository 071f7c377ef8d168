-- That were planned and are not over.
SELECT DISTINCT e.campaign FROM ops.campaign_event AS e
WHERE
    e.kind = 'planned'
    AND NOT EXISTS (
        SELECT 1 FROM ops.campaign_event AS c
        WHERE c.campaign = e.campaign AND c.kind = 'closed'
    )
