-- Marks on two to five records. More is no identity but a habit (a number of nines, a shared mailbox).
-- Sorted and numbered: a group of its own for each of so many marks takes twice as long.
WITH marked AS (
    SELECT unnest(p.same_person) AS mark FROM stage.patron AS p
    WHERE p.extract_id = :extract_id
),

numbered AS (
    SELECT
        m.mark,
        row_number() OVER (PARTITION BY m.mark) AS place
    FROM marked AS m
    WHERE m.mark IS NOT null
)

SELECT n.mark FROM numbered AS n
WHERE n.place IN (2, 6)
GROUP BY n.mark
HAVING count(*) = 1
