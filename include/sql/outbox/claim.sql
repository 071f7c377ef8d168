-- Committed before the mail server hears of the mail: whatever dies then, it is known to have begun.
UPDATE core.message AS m SET
    state = 'sending',
    worker_lock = :worker_lock,
    claimed_at = :claimed_at,
    attempt_count = m.attempt_count + 1
FROM pii.address AS a
WHERE
    m.message_id = (
        SELECT q.message_id FROM core.message AS q
        WHERE q.purpose = :purpose AND q.ref = :ref AND q.state = 'queued' AND q.message_id > :after
        ORDER BY q.message_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    AND m.recipient_key = a.address_key
RETURNING m.message_id, m.edition, m.token, a.address
