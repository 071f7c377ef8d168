-- The addresses are dead indeed.
UPDATE core.suppression_event SET is_provisional = false
FROM core.message AS m
WHERE
    suppression_event.message_id = m.message_id
    AND m.domain_key = :domain_key
    AND suppression_event.is_provisional
