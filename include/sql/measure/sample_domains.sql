SELECT DISTINCT split_part(a.address, '@', 2) AS mail_domain
FROM core.invitation AS i
INNER JOIN pii.address AS a ON i.address_key = a.address_key
WHERE i.campaign = :campaign AND i.wave = :wave
