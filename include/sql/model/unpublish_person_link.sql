DELETE FROM core.person_link
WHERE period = :period
