DELETE FROM pii.quarantine AS q
WHERE q.extract_id = :extract_id AND q.record_no BETWEEN :first_no AND :last_no
