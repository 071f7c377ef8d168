-- A record is rejected once for a reason, however many expectations give it.
INSERT INTO stage.rejection (extract_id, record_no, reason_code)
SELECT
    :extract_id,
    f.record_no,
    :reason_code
FROM pg_temp.found AS f
ON CONFLICT DO NOTHING
