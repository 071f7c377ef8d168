-- Counted in the tables themselves, not by the code that filled them; the source's count is the source's.
UPDATE ops.extract SET
    source_count = (
        SELECT sum(s.source_count) FROM ops.extract_shard AS s
        WHERE s.extract_id = :extract_id
    ),
    staged_count = (
        SELECT count(*) FROM stage.patron AS p
        WHERE p.extract_id = :extract_id
    ),
    quarantined_count = (
        SELECT count(*) FROM pii.quarantine AS q
        WHERE q.extract_id = :extract_id
    )
WHERE extract_id = :extract_id
