-- What only reached the catch-all address, while mail was not live, has reached nobody.
UPDATE core.message SET
    state = 'queued',
    attempt_count = 0,
    first_tried_at = NULL,
    sent_at = NULL,
    due_at = :now
WHERE purpose = 'survey' AND ref = :campaign AND state = 'caught'
