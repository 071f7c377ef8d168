UPDATE core.message SET
    state = :state,
    smtp_code = :smtp_code,
    sent_at = :sent_at,
    worker_lock = NULL
WHERE message_id = :message_id
