UPDATE pii.quarantine AS q SET
    reason_code = 'objected',
    record = ''
FROM unnest(cast(:extract_ids AS integer[]), cast(:record_nos AS bigint[])) AS f (extract_id, record_no)
WHERE q.extract_id = f.extract_id AND q.record_no = f.record_no
