-- What is published of each record; an address of real customers only, an identity of new patrons only.
-- Whoever is seen for the first time gets a random key of his own. Records that cannot be read have none.
SELECT
    p.record_no,
    coalesce(k.patron_key, gen_random_uuid()) AS patron_key,
    k.first_seen_at,
    v.reasons,
    coalesce(p.group_code, 'unmapped') AS group_code,
    p.address_key,
    p.contradiction,
    p.name IS NOT null AND p.family_name IS null AS is_single_name,
    p.email_suggestion IS NOT null AS is_likely_typo,
    CASE WHEN v.reasons IS null THEN p.email END AS email,
    CASE WHEN k.patron_key IS null THEN p.source_id END AS new_source_id
FROM stage.patron AS p
LEFT JOIN pii.patron AS k ON k.source = :source AND p.source_id = k.source_id
LEFT JOIN stage.verdict AS v ON p.record_no = v.record_no
WHERE p.extract_id = :extract_id
UNION ALL
SELECT
    q.record_no,
    null,
    null,
    v.reasons,
    'unmapped',
    null,
    null,
    false,
    false,
    null,
    null
FROM pii.quarantine AS q
INNER JOIN stage.verdict AS v ON q.record_no = v.record_no
WHERE q.extract_id = :extract_id
