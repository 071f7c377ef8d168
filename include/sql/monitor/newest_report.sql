SELECT max(r.edition) AS edition
FROM ops.report AS r
WHERE r.period = :period AND r.language = :language
HAVING count(*) > 0
