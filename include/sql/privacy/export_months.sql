SELECT
    m.period AS of_month,
    m.is_current AS is_current_member,
    m.is_real_customer,
    m.group_code AS member_group,
    a.address AS email_address,
    encode(m.address_key, 'hex') AS digest_of_the_address,
    m.person_key AS key_of_the_person,
    l.rule_no AS linked_with_another_record_by_rule,
    (
        SELECT coalesce(array_agg(r.reason_code ORDER BY r.is_first DESC, r.reason_code ASC), '{}')
        FROM core.rejection AS r
        WHERE r.period = m.period AND r.record_no = m.record_no
    ) AS reasons_why_incomplete
FROM core.patron_month AS m
LEFT JOIN pii.address AS a ON m.address_key = a.address_key
LEFT JOIN core.person_link AS l ON m.period = l.period AND m.patron_key = l.patron_key
WHERE m.patron_key = :patron_key
ORDER BY m.period
