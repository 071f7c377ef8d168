WITH verdict AS (
    SELECT
        r.record_no,
        coalesce(bool_or(c.is_about_population), false) AS is_outside
    FROM stage.rejection AS r
    LEFT JOIN core.reason AS c ON r.reason_code = c.reason_code
    WHERE r.extract_id = :extract_id
    GROUP BY r.record_no
)

INSERT INTO core.patron_month
(
    period, patron_key, record_no, is_current, is_real_customer, group_code, status,
    person_key, address_key
)
SELECT
    :period,
    k.patron_key,
    p.record_no,
    NOT coalesce(v.is_outside, false),
    v.record_no IS null,
    coalesce(p.group_code, 'unmapped'),
    p.status,
    coalesce(l.person_key, k.patron_key),
    p.address_key
FROM stage.patron AS p
INNER JOIN pii.patron AS k ON k.source = :source AND p.source_id = k.source_id
LEFT JOIN core.person_link AS l ON l.period = :period AND k.patron_key = l.patron_key
LEFT JOIN verdict AS v ON p.record_no = v.record_no
WHERE p.extract_id = :extract_id
