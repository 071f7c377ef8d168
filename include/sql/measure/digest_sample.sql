-- What the drawn list is recognised by.
SELECT encode(sha256(string_agg(i.person_key::text || i.wave, ' ' ORDER BY i.person_key)::bytea), 'hex')
FROM core.invitation AS i
WHERE i.campaign = :campaign
