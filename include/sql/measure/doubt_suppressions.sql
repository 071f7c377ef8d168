-- While a domain is paused, its hard bounces are not believed for good.
UPDATE core.suppression_event SET is_provisional = true
FROM core.message AS m
INNER JOIN ops.domain_pause AS p ON m.domain_key = p.domain_key AND p.ended_at IS null
WHERE
    suppression_event.message_id = m.message_id
    AND m.ref = p.campaign
    AND suppression_event.kind = 'hard_bounce'
    AND NOT suppression_event.is_provisional
