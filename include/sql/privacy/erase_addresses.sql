DELETE FROM pii.address AS a
WHERE a.address_key = ANY(CAST(:address_keys AS bytea[]))
