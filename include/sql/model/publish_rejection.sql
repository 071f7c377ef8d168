-- The first reason of a record is the one that stands first in the fixed order.
INSERT INTO core.rejection (period, record_no, reason_code, is_first)
SELECT
    :period,
    v.record_no,
    r.reason_code,
    r.place = 1
FROM pg_temp.verdict AS v
CROSS JOIN LATERAL unnest(v.reason_codes) WITH ORDINALITY AS r (reason_code, place)
