INSERT INTO core.patron_month
(
    period, patron_key, record_no, is_current, is_real_customer, group_code, person_key, address_key
)
SELECT
    :period,
    r.patron_key,
    r.record_no,
    NOT coalesce(c.is_outside, false),
    r.reasons IS null,
    r.group_code,
    coalesce(l.person_key, r.patron_key),
    r.address_key
FROM stage.record AS r
LEFT JOIN stage.combination AS c ON r.reasons = c.reasons
LEFT JOIN core.person_link AS l ON l.period = :period AND r.patron_key = l.patron_key
WHERE r.patron_key IS NOT null
