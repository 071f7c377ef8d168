-- The first reason of a record is the one that stands first in the fixed order.
WITH reason AS MATERIALIZED (
    SELECT
        c.reasons,
        r.reason_code,
        r.place = 1 AS is_first
    FROM stage.combination AS c
    CROSS JOIN LATERAL unnest(c.reason_codes) WITH ORDINALITY AS r (reason_code, place)
)

INSERT INTO core.rejection (period, record_no, reason_code, is_first)
SELECT
    :period,
    v.record_no,
    r.reason_code,
    r.is_first
FROM stage.verdict AS v
INNER JOIN reason AS r ON v.reasons = r.reasons
