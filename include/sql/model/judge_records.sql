-- Whoever is seen for the first time gets a random key of his own. Records that cannot be read have none.
INSERT INTO pg_temp.record
(
    record_no, patron_key, is_outside, is_single_name, is_likely_typo, contradiction, group_code,
    reason_codes, same_person, address_key, email, new_source_id
)
SELECT
    p.record_no,
    coalesce(k.patron_key, gen_random_uuid()),
    coalesce(v.is_outside, false),
    p.name IS NOT null AND p.family_name IS null,
    p.email_suggestion IS NOT null,
    p.contradiction,
    coalesce(p.group_code, 'unmapped'),
    v.reason_codes,
    p.same_person,
    p.address_key,
    CASE WHEN v.record_no IS null THEN p.email END,
    CASE WHEN k.patron_key IS null THEN p.source_id END
FROM stage.patron AS p
LEFT JOIN pii.patron AS k ON k.source = :source AND p.source_id = k.source_id
LEFT JOIN pg_temp.verdict AS v ON p.record_no = v.record_no
WHERE p.extract_id = :extract_id
UNION ALL
SELECT
    q.record_no,
    null,
    v.is_outside,
    false,
    false,
    null,
    'unmapped',
    v.reason_codes,
    null,
    null,
    null,
    null
FROM pii.quarantine AS q
INNER JOIN pg_temp.verdict AS v ON q.record_no = v.record_no
WHERE q.extract_id = :extract_id
