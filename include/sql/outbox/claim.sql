-- Committed before the mail server hears of the mail: whatever dies then, it is known to have begun.
UPDATE core.message AS m SET
    state = 'sending',
    is_caught = :is_caught,
    worker_lock = :worker_lock,
    claimed_at = :claimed_at,
    attempt_count = m.attempt_count + 1
WHERE
    m.message_id = (
        SELECT q.message_id FROM core.message AS q
        WHERE q.purpose = :purpose AND q.ref = :ref AND q.state = 'queued' AND q.message_id > :after
        ORDER BY q.message_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
RETURNING
    m.message_id,
    m.edition,
    m.token,
    (
        SELECT a.address FROM pii.address AS a
        WHERE a.address_key = m.recipient_key
    ) AS address
