-- The relay has never had it: later mail has arrived in the journal, this one has not.
UPDATE core.message SET
    state = 'queued',
    due_at = :now,
    worker_lock = NULL
WHERE message_id = :message_id AND state = 'sending'
