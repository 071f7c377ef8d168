DELETE FROM pii.quarantine AS q
WHERE q.extract_id = :extract_id
