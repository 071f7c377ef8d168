SELECT DISTINCT e.campaign FROM ops.campaign_event AS e
WHERE e.kind = 'closed' AND e.event_at < :before
