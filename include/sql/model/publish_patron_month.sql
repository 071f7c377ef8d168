-- At first everybody is a person of his own.
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
    r.patron_key AS person_key,
    r.address_key
FROM stage.record AS r
LEFT JOIN stage.combination AS c ON r.reasons = c.reasons
WHERE r.patron_key IS NOT null
