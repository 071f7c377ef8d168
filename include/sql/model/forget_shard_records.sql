DELETE FROM stage.patron AS p
WHERE p.extract_id = :extract_id AND p.record_no BETWEEN :first_no AND :last_no
