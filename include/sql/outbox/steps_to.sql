-- Every mail of a batch to one recipient, the first one first, and whether it has reached him.
SELECT
    m.step,
    m.state = 'sent' OR (m.state = 'caught' AND NOT :is_live) AS has_reached
FROM core.message AS m
WHERE m.purpose = :purpose AND m.ref = :ref AND m.recipient_key = :recipient_key
ORDER BY m.message_id
