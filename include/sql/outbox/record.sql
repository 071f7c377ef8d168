-- Only by the worker that claimed it: what a person or a later run decided since then stays.
UPDATE core.message SET
    state = :state,
    smtp_code = :smtp_code,
    sent_at = :sent_at,
    worker_lock = NULL
WHERE message_id = :message_id AND state = 'sending' AND worker_lock = :worker_lock
