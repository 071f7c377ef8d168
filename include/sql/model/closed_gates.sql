-- What holds the newest extract of a period.
SELECT
    e.extract_id,
    e.state,
    g.gate_code,
    g.sentence
FROM ops.extract AS e
INNER JOIN ops.gate AS g ON e.extract_id = g.extract_id
WHERE
    e.extract_id = (
        SELECT max(n.extract_id) FROM ops.extract AS n
        WHERE n.period = :period AND n.state IN ('accepted', 'refused')
    )
    AND g.accepted_at IS NULL
ORDER BY g.gate_code
