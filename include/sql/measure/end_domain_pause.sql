UPDATE ops.domain_pause SET
    ended_at = :now,
    ended_by = :by,
    is_dead = :is_dead,
    reason = :reason
WHERE domain_key = :domain_key AND ended_at IS null
