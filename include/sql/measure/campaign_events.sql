SELECT
    e.event_id,
    e.kind,
    e.plan_hash,
    e.actor,
    e.counts,
    e.note,
    e.event_at
FROM ops.campaign_event AS e
WHERE e.campaign = :campaign
ORDER BY e.event_id
