DELETE FROM pii.patron AS k
WHERE k.source = :source AND k.source_id = :source_id
