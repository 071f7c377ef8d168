-- The relay has had this mail, whatever the ledger says of it, or nothing. One that names another recipient
-- than the ledger went to the catch-all address.
WITH known AS (
    UPDATE core.message SET
        state = CASE WHEN recipient_key = :recipient_key THEN 'sent' ELSE 'caught' END,
        sent_at = :sent_at,
        worker_lock = NULL
    WHERE token = :token
    RETURNING message_id
)

INSERT INTO core.message AS m
(purpose, ref, step, recipient_key, domain_key, token, state, queued_at, due_at, sent_at)
SELECT
    :purpose,
    :ref,
    :step,
    :recipient_key,
    :domain_key,
    :token,
    'sent',
    :sent_at AS queued_at,
    :sent_at AS due_at,
    :sent_at
WHERE NOT EXISTS (SELECT 1 FROM known)
ON CONFLICT (purpose, ref, recipient_key, step) DO UPDATE SET
    state = 'sent',
    token = excluded.token,
    sent_at = excluded.sent_at,
    worker_lock = NULL
