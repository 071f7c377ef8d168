-- Extracts whose rows still lie in stage: kept are the last ones that a period stands or stood on, what is
-- being read, and another one while it is the newest, so that a person can look into it.
WITH staged AS (
    SELECT
        e.extract_id,
        e.state IN ('accepted', 'replaced') AS was_accepted,
        row_number() OVER (
            PARTITION BY e.state IN ('accepted', 'replaced') ORDER BY e.extract_id DESC
        ) AS age,
        max(e.extract_id) OVER () AS newest_id
    FROM ops.extract AS e
    WHERE to_regclass('stage.patron_' || e.extract_id) IS NOT null AND e.state != 'reading'
)

SELECT s.extract_id
FROM staged AS s
WHERE (s.was_accepted AND s.age > :kept) OR (NOT s.was_accepted AND s.extract_id < s.newest_id)
