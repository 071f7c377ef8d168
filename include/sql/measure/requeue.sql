-- Not those to a dead address.
UPDATE core.message SET
    state = 'queued',
    smtp_code = NULL,
    smtp_status = NULL,
    attempt_count = 0,
    first_tried_at = NULL,
    due_at = :now
WHERE
    purpose = 'survey'
    AND ref = :campaign
    AND (state = 'given up' OR (state = 'refused' AND NOT is_hard_refusal))
