-- Mails being sent by a worker that is no more (its lock is free), or whose line broke in the middle. The
-- lock is taken for a moment only.
SELECT
    m.message_id,
    m.token,
    m.claimed_at
FROM core.message AS m
WHERE
    m.purpose = :purpose
    AND m.ref = :ref
    AND m.state = 'sending'
    AND (m.worker_lock IS NULL OR pg_try_advisory_xact_lock(m.worker_lock))
ORDER BY m.message_id
