UPDATE ops.gate SET
    accepted_at = :accepted_at,
    accepted_by = :accepted_by,
    accept_reason = :accept_reason
WHERE extract_id = :extract_id AND accepted_at IS NULL
