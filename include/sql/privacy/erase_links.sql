DELETE FROM core.person_link AS l
WHERE l.patron_key = :patron_key
