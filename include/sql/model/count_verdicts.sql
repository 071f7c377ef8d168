-- The few hundred counts that all figures about rejections come from.
INSERT INTO pg_temp.rejected_count (group_code, reason_codes, record_count)
SELECT
    r.group_code,
    r.reason_codes,
    count(*)
FROM pg_temp.record AS r
WHERE r.reason_codes IS NOT null
GROUP BY r.group_code, r.reason_codes
