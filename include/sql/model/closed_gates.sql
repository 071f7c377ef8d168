-- What holds a period: the extract that it stands on, where a gate stopped that one from being published;
-- else its newest one that was refused.
WITH held AS (
    SELECT
        e.extract_id,
        e.state
    FROM ops.extract AS e
    WHERE
        e.period = :period
        AND (
            e.state = 'accepted'
            OR e.extract_id = (
                SELECT max(n.extract_id) FROM ops.extract AS n
                WHERE n.period = :period AND n.state IN ('accepted', 'refused')
            )
        )
        AND EXISTS (
            SELECT 1 FROM ops.gate AS g
            WHERE g.extract_id = e.extract_id AND g.accepted_at IS null
        )
    ORDER BY e.state
    LIMIT 1
)

SELECT
    h.extract_id,
    h.state,
    g.gate_code,
    g.sentence
FROM held AS h
INNER JOIN ops.gate AS g ON h.extract_id = g.extract_id
WHERE g.accepted_at IS null
ORDER BY g.gate_code
