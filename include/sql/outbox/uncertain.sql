SELECT
    m.message_id,
    m.purpose,
    m.ref,
    m.step,
    m.token,
    m.claimed_at
FROM core.message AS m
WHERE m.state = 'uncertain'
ORDER BY m.message_id
