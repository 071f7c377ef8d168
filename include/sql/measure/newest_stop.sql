SELECT e.note
FROM ops.campaign_event AS e
WHERE e.campaign = :campaign AND e.kind = 'stopped'
ORDER BY e.event_id DESC
LIMIT 1
