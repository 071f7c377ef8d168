-- Campaigns that mailed before the period's end and were not over before it began; in people.
SELECT
    g.campaign,
    sum(g.sent_count) AS sent_count,
    sum(g.hard_bounced_count) AS hard_count
FROM mart.campaign_group AS g
WHERE
    EXISTS (
        SELECT 1 FROM ops.campaign_event AS e
        WHERE e.campaign = g.campaign AND e.kind = 'wave opened' AND e.event_at < :ends_at
    )
    AND NOT EXISTS (
        SELECT 1 FROM ops.campaign_event AS e
        WHERE e.campaign = g.campaign AND e.kind = 'closed' AND e.event_at < :starts_at
    )
GROUP BY g.campaign
ORDER BY g.campaign
