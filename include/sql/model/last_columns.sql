-- The columns of the last accepted extract of the source but for this one, and whether one mapping read both.
SELECT
    e.columns,
    e.mapping_hash = n.mapping_hash AS is_same_mapping
FROM ops.extract AS e
INNER JOIN ops.extract AS n ON n.extract_id = :extract_id
WHERE
    e.extract_id < n.extract_id
    AND e.state IN ('accepted', 'replaced')
    AND e.source = n.source
    AND e.columns IS NOT NULL
ORDER BY e.extract_id DESC
LIMIT 1
