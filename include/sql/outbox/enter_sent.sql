-- The relay has had this mail, whatever the ledger says of it, or nothing.
INSERT INTO core.message AS m
(purpose, ref, step, recipient_key, domain_key, token, state, queued_at, due_at, sent_at)
VALUES
(
    :purpose, :ref, :step, :recipient_key, :domain_key, :token, 'sent', :sent_at, :sent_at, :sent_at
)
ON CONFLICT (purpose, ref, recipient_key, step) DO UPDATE SET
    state = 'sent',
    token = excluded.token,
    sent_at = excluded.sent_at,
    worker_lock = NULL
