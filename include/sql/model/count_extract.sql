-- Counted in the tables themselves, not by the code that filled them.
UPDATE ops.extract SET
    staged_count = (
        SELECT count(*) FROM stage.patron AS p
        WHERE p.extract_id = :extract_id
    ),
    quarantined_count = (
        SELECT count(*) FROM pii.quarantine AS q
        WHERE q.extract_id = :extract_id
    )
WHERE extract_id = :extract_id
