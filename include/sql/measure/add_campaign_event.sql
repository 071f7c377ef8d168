INSERT INTO ops.campaign_event (campaign, kind, plan_hash, actor, counts, note, event_at)
VALUES (:campaign, :kind, :plan_hash, :actor, cast(:counts AS jsonb), :note, :now)
