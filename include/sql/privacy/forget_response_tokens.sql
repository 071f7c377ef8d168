DELETE FROM pii.response_token AS t
USING core.response AS r, ops.campaign_event AS e
WHERE
    t.response_id = r.response_id
    AND e.campaign = r.campaign
    AND e.kind = 'closed'
    AND e.event_at < :before
