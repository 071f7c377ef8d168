-- Who is asked by a campaign, in an order of no meaning.
SELECT
    a.address,
    i.group_code,
    i.wave
FROM core.invitation AS i
INNER JOIN pii.address AS a ON i.address_key = a.address_key
WHERE i.campaign = :campaign
ORDER BY md5(i.person_key::text)
