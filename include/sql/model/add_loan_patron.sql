-- Whoever borrowed and was never seen gets a key too, also when he was deleted since; but nobody gets one for
-- a loan that is nobody's already.
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
