-- Whoever is seen for the first time gets a random key of his own. Records that cannot be read have none.
INSERT INTO pg_temp.record
(record_no, patron_key, new_source_id, group_code, address_key, email, reason_codes, is_outside)
SELECT
    p.record_no,
    coalesce(k.patron_key, gen_random_uuid()),
    CASE WHEN k.patron_key IS null THEN p.source_id END,
    coalesce(p.group_code, 'unmapped'),
    p.address_key,
    CASE WHEN v.record_no IS null THEN p.email END,
    v.reason_codes,
    coalesce(v.is_outside, false)
FROM stage.patron AS p
LEFT JOIN pii.patron AS k ON k.source = :source AND p.source_id = k.source_id
LEFT JOIN pg_temp.verdict AS v ON p.record_no = v.record_no
WHERE p.extract_id = :extract_id
UNION ALL
SELECT
    q.record_no,
    null,
    null,
    'unmapped',
    null,
    null,
    v.reason_codes,
    v.is_outside
FROM pii.quarantine AS q
INNER JOIN pg_temp.verdict AS v ON q.record_no = v.record_no
WHERE q.extract_id = :extract_id
