UPDATE ops.extract SET
    state = :state,
    refusal = :refusal,
    ended_at = :ended_at
WHERE extract_id = :extract_id
