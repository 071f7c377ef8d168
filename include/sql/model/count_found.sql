SELECT
    r.check_no,
    count(*) AS record_count
FROM stage.rejection AS r
WHERE r.extract_id = :extract_id
GROUP BY r.check_no
