DELETE FROM ops.quality_result AS q
WHERE q.extract_id = :extract_id
