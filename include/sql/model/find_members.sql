-- Who carries a shared mark, and by which rule.
WITH marked AS (
    SELECT
        p.record_no,
        p.same_person,
        unnest(p.same_person) AS mark
    FROM stage.patron AS p
    WHERE p.extract_id = :extract_id
)

SELECT
    m.record_no,
    m.mark,
    array_position(m.same_person, m.mark) AS rule_no
FROM marked AS m
INNER JOIN stage.shared_mark AS s ON m.mark = s.mark
