SELECT
    r.kind,
    count(*) AS response_count
FROM core.response AS r
WHERE r.campaign = :campaign
GROUP BY r.kind
