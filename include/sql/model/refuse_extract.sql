-- The first of the sentences stands here too, for whoever looks at the extract only.
UPDATE ops.extract SET
    state = 'refused',
    refusal = (
        SELECT g.sentence FROM ops.gate AS g
        WHERE g.extract_id = :extract_id AND g.accepted_at IS NULL
        ORDER BY g.gate_code
        LIMIT 1
    ),
    ended_at = :ended_at
WHERE extract_id = :extract_id
