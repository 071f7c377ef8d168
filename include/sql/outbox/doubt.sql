UPDATE core.message SET
    state = 'uncertain',
    worker_lock = NULL
WHERE message_id = :message_id AND state = 'sending'
