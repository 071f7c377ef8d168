SELECT
    r.edition,
    r.content_hash
FROM ops.report AS r
WHERE r.period = :period
ORDER BY r.edition DESC
LIMIT 1
