-- Records in quarantine in which an id occurs, as one of its spellings in bytes.
SELECT
    q.extract_id,
    q.record_no,
    q.record
FROM pii.quarantine AS q
WHERE
    EXISTS (
        SELECT 1 FROM unnest(cast(:spellings AS bytea[])) AS s (spelling)
        WHERE position(s.spelling IN q.record) > 0
    )
ORDER BY q.extract_id, q.record_no
