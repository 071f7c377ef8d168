SELECT
    g.group_code,
    g.frame_count,
    g.invited_count,
    g.sent_count,
    g.hard_bounced_count,
    g.soft_bounced_count,
    g.uncertain_count,
    g.delivered_count,
    g.opted_out_count,
    g.answered_count,
    g.sampled_count,
    g.counted_at
FROM mart.campaign_group AS g
WHERE g.campaign = :campaign
ORDER BY g.group_code
