SELECT count(*) FROM ops.quality_result AS q
WHERE q.extract_id = :extract_id AND q.suite_hash = :suite_hash
