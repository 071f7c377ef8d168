-- How many records have an address that others have too.
WITH address AS (
    SELECT count(*) AS record_count FROM stage.patron AS p
    WHERE p.extract_id = :extract_id AND p.address_key IS NOT null
    GROUP BY p.address_key
    HAVING count(*) > 1
)

SELECT coalesce(sum(a.record_count), 0) AS record_count FROM address AS a
