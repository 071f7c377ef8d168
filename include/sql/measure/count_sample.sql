SELECT
    i.group_code,
    i.language,
    i.wave,
    count(*) AS person_count
FROM core.invitation AS i
WHERE i.campaign = :campaign
GROUP BY i.group_code, i.language, i.wave
