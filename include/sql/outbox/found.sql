-- The relay has had it: its copy lies in the journal.
UPDATE core.message SET
    state = CASE WHEN is_caught THEN 'caught' ELSE 'sent' END,
    sent_at = :now,
    worker_lock = NULL
WHERE message_id = :message_id AND state = 'sending'
