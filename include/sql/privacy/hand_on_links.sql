UPDATE core.person_link SET person_key = :heir_key
WHERE person_key = :patron_key
