SELECT
    e.period AS read_for_month,
    e.as_of_date AS as_of,
    jsonb_strip_nulls(to_jsonb(p)) AS record
FROM stage.patron AS p
INNER JOIN ops.extract AS e ON p.extract_id = e.extract_id
WHERE p.source_id = :source_id
ORDER BY p.extract_id, p.record_no
