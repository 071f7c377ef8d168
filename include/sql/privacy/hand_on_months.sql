UPDATE core.patron_month SET person_key = :heir_key
WHERE person_key = :patron_key
