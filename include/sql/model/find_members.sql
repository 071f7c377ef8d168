-- Who shares a mark of which rule with one to four others. More is no identity but a habit (a number of
-- nines, a shared mailbox). Sorted and numbered: a group for each of so many marks takes twice as long.
WITH marked AS NOT MATERIALIZED (
    SELECT
        p.record_no,
        p.same_person,
        unnest(p.same_person) AS mark
    FROM stage.patron AS p
    WHERE p.extract_id = :extract_id
),

numbered AS (
    SELECT
        m.mark,
        row_number() OVER (PARTITION BY m.mark) AS place
    FROM marked AS m
    WHERE m.mark IS NOT null
),

shared AS MATERIALIZED (
    SELECT n.mark FROM numbered AS n
    WHERE n.place IN (2, 6)
    GROUP BY n.mark
    HAVING count(*) = 1
)

SELECT
    m.record_no,
    m.mark,
    array_position(m.same_person, m.mark) AS rule_no
FROM marked AS m
INNER JOIN shared AS s ON m.mark = s.mark
