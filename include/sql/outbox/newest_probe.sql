-- The probe that was taken last before an instant.
SELECT
    m.message_id,
    m.token,
    m.claimed_at
FROM core.message AS m
WHERE m.purpose = 'probe' AND m.state = 'sent' AND m.claimed_at > :after
ORDER BY m.message_id
LIMIT 1
