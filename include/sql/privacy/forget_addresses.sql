-- That are nobody's of a period that is kept, and to which nothing is to be sent.
DELETE FROM pii.address AS a
WHERE
    NOT EXISTS (
        SELECT 1 FROM core.patron_month AS m
        WHERE m.address_key = a.address_key
    )
    AND NOT EXISTS (
        SELECT 1 FROM core.message AS m
        WHERE m.recipient_key = a.address_key AND m.state IN ('queued', 'sending', 'uncertain')
    )
    AND NOT EXISTS (
        SELECT 1 FROM core.invitation AS i
        WHERE
            i.address_key = a.address_key
            AND NOT EXISTS (
                SELECT 1 FROM ops.campaign_event AS e
                WHERE e.campaign = i.campaign AND e.kind = 'closed'
            )
    )
