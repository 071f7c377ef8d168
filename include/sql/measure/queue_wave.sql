INSERT INTO core.message
(purpose, ref, step, recipient_key, domain_key, token, state, queued_at, due_at)
SELECT
    'survey',
    i.campaign,
    'invite',
    i.address_key,
    d.domain_key,
    replace(gen_random_uuid()::text, '-', ''),
    'queued',
    :now AS queued_at,
    :now AS due_at
FROM core.invitation AS i
INNER JOIN pii.address AS a ON i.address_key = a.address_key
INNER JOIN unnest(cast(:domains AS text[]), cast(:domain_keys AS bytea[])) AS d (domain, domain_key)
    ON split_part(a.address, '@', 2) = d.domain
WHERE i.campaign = :campaign AND i.wave = :wave
ORDER BY i.address_key
ON CONFLICT (purpose, ref, recipient_key, step) DO NOTHING
