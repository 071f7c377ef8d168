DELETE FROM core.message AS m
WHERE
    m.purpose = 'survey'
    AND m.ref IN (
        SELECT e.campaign FROM ops.campaign_event AS e
        WHERE e.kind = 'closed' AND e.event_at < :before
    )
