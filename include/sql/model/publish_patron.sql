-- Whoever is seen for the first time gets a key of his own; sorted, so that two writers cannot deadlock.
INSERT INTO pii.patron (source, source_id, first_seen_at)
SELECT
    :source,
    p.source_id,
    :now
FROM stage.patron AS p
WHERE
    p.extract_id = :extract_id
    AND NOT EXISTS (
        SELECT 1 FROM pii.patron AS known
        WHERE known.source = :source AND known.source_id = p.source_id
    )
ORDER BY p.source_id
ON CONFLICT DO NOTHING
