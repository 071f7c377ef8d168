-- Extracts whose rows still lie in stage: kept are the last accepted ones, and a refused one while it is
-- the newest, so that a person can look into it.
WITH staged AS (
    SELECT
        e.extract_id,
        e.state,
        row_number() OVER (PARTITION BY e.state ORDER BY e.extract_id DESC) AS age,
        max(e.extract_id) OVER () AS newest_id
    FROM ops.extract AS e
    WHERE to_regclass('stage.patron_' || e.extract_id) IS NOT NULL
)

SELECT s.extract_id
FROM staged AS s
WHERE (s.state = 'accepted' AND s.age > :kept) OR (s.state != 'accepted' AND s.extract_id < s.newest_id)
