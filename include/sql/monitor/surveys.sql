-- Campaigns of which mail may have gone out, in the order in which they began.
SELECT
    e.campaign,
    min(e.event_at) FILTER (WHERE e.kind = 'wave opened') AS began_at,
    max(e.event_at) FILTER (WHERE e.kind = 'closed') AS closed_at
FROM ops.campaign_event AS e
WHERE e.event_at <= :now
GROUP BY e.campaign
HAVING bool_or(e.kind = 'wave opened')
ORDER BY began_at, e.campaign
