-- Whoever borrows and was never seen, because he was deleted since, gets a key too; but nobody gets one for a
-- loan that is nobody's already. Sorted, so that two writers cannot deadlock.
INSERT INTO pii.patron (source, source_id, first_seen_at)
SELECT
    :source,
    r.source_id,
    :now
FROM pg_temp.read_loan AS r
WHERE
    r.source_id IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM pii.patron AS known
        WHERE known.source = :source AND known.source_id = r.source_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM core.loan AS known
        WHERE known.source = :source AND known.loan_id = r.loan_id AND known.patron_key IS NULL
    )
GROUP BY r.source_id
ORDER BY r.source_id
ON CONFLICT DO NOTHING
