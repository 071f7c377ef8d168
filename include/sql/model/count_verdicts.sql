-- How many records of a group fail for one combination of reasons; for none: the real customers. And how many
-- of them deserve a look.
WITH counted AS (
    SELECT
        r.group_code,
        r.reasons,
        count(*) AS record_count,
        count(*) FILTER (WHERE r.is_single_name) AS single_name,
        count(*) FILTER (WHERE r.is_likely_typo) AS likely_typo,
        count(*) FILTER (WHERE r.contradiction = 'past_expiry') AS past_expiry,
        count(*) FILTER (WHERE r.contradiction = 'no_expiry') AS no_expiry
    FROM stage.record AS r
    GROUP BY r.group_code, r.reasons
)

SELECT
    c.group_code,
    k.reason_codes,
    c.record_count,
    c.single_name,
    c.likely_typo,
    c.past_expiry,
    c.no_expiry
FROM counted AS c
LEFT JOIN stage.combination AS k ON c.reasons = k.reasons
