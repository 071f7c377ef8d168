DELETE FROM core.invitation AS i
WHERE
    i.campaign IN (
        SELECT e.campaign FROM ops.campaign_event AS e
        WHERE e.kind = 'closed' AND e.event_at < :before
    )
