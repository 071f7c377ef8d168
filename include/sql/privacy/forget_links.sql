DELETE FROM core.person_link AS l
WHERE l.period < :period
