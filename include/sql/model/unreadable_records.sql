-- The id is what stands before the first unit separator, where the record came apart into fields.
SELECT
    q.record_no,
    q.reason_code,
    CASE
        WHEN position('\x1f'::bytea IN q.record) > 0
            THEN substring(q.record FOR position('\x1f'::bytea IN q.record) - 1)
    END AS source_id
FROM pii.quarantine AS q
WHERE q.extract_id = :extract_id AND q.reason_code != 'objected'
ORDER BY q.record_no
