DELETE FROM pii.survey_token AS t
USING ops.campaign_event AS e
WHERE e.campaign = t.campaign AND e.kind = 'closed' AND e.event_at < :before
