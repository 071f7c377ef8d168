-- One that arrived at the catch-all address has reached nobody yet.
UPDATE core.message SET
    state = CASE WHEN NOT :is_delivered THEN 'queued' WHEN is_caught THEN 'caught' ELSE 'sent' END,
    sent_at = CASE WHEN :is_delivered THEN :now END
WHERE message_id = :message_id AND state = 'uncertain'
