-- The few combinations of reasons that there are, spelt out in the fixed order.
WITH combination AS (
    SELECT v.reasons FROM stage.verdict AS v
    GROUP BY v.reasons
),

reason AS (
    SELECT DISTINCT
        r.reason_bit,
        r.reason_code,
        r.is_outside
    FROM stage.reason AS r
)

SELECT
    c.reasons,
    array_agg(r.reason_code ORDER BY r.reason_bit) AS reason_codes,
    bool_or(r.is_outside) AS is_outside
FROM combination AS c
INNER JOIN reason AS r ON c.reasons & r.reason_bit != 0
GROUP BY c.reasons
