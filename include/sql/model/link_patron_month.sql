-- Who was found to be another patron too gets the key of that person.
UPDATE core.patron_month SET person_key = l.person_key
FROM core.person_link AS l
WHERE
    patron_month.period = :period
    AND l.period = :period
    AND patron_month.patron_key = l.patron_key
    AND l.person_key != l.patron_key
