UPDATE ops.extract SET
    state = 'accepted',
    ended_at = :ended_at
WHERE extract_id = :extract_id
