-- The columns of the last accepted extract that was read by the same mapping, but for this one.
SELECT
    e.columns,
    e.period
FROM ops.extract AS e
INNER JOIN ops.extract AS n ON n.extract_id = :extract_id
WHERE
    e.extract_id < n.extract_id
    AND e.state IN ('accepted', 'replaced')
    AND e.source = n.source
    AND e.mapping_hash = n.mapping_hash
    AND e.columns IS NOT NULL
ORDER BY e.extract_id DESC
LIMIT 1
