-- The few hundred counts that the figures by group and by reason come from.
INSERT INTO pg_temp.verdict_count (group_code, reason_codes, record_count)
SELECT
    r.group_code,
    r.reason_codes,
    count(*)
FROM pg_temp.record AS r
GROUP BY r.group_code, r.reason_codes
