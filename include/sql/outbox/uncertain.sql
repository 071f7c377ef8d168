-- Whose they are stands beside them: he is asked, or looked for in the relay's log.
SELECT
    m.message_id,
    m.purpose,
    m.ref,
    m.step,
    m.token,
    m.claimed_at,
    m.is_caught,
    a.address
FROM core.message AS m
LEFT JOIN pii.address AS a ON m.recipient_key = a.address_key
WHERE m.state = 'uncertain'
ORDER BY m.message_id
