-- Whose mail came back; that one did, and why, stays: it keeps the mail from being read again.
UPDATE core.bounce AS b SET
    message_id = NULL,
    address_key = NULL
FROM core.message AS m
WHERE
    b.message_id = m.message_id
    AND m.purpose = 'survey'
    AND m.ref IN (
        SELECT e.campaign FROM ops.campaign_event AS e
        WHERE e.kind = 'closed' AND e.event_at < :before
    )
