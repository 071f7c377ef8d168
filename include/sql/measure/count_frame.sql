SELECT
    f.group_code,
    f.left_out_for,
    count(*) AS person_count
FROM stage.frame AS f
GROUP BY f.group_code, f.left_out_for
