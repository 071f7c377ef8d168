-- How many records of a group fail for one combination of reasons; for none: the real customers.
WITH counted AS (
    SELECT
        r.group_code,
        r.reasons,
        count(*) AS record_count
    FROM stage.record AS r
    GROUP BY r.group_code, r.reasons
)

SELECT
    c.group_code,
    k.reason_codes,
    c.record_count
FROM counted AS c
LEFT JOIN stage.combination AS k ON c.reasons = k.reasons
