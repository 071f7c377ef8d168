-- As whom he was ever known together with his other records.
SELECT m.person_key FROM core.patron_month AS m
WHERE m.patron_key = :patron_key
UNION
SELECT l.person_key FROM core.person_link AS l
WHERE l.patron_key = :patron_key
UNION
SELECT cast(:patron_key AS uuid) AS person_key
WHERE cast(:patron_key AS uuid) IS NOT NULL
