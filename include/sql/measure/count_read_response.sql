-- Of which kind the responses of the file are now.
SELECT
    k.kind,
    count(*) AS response_count
FROM pg_temp.read_response AS r
INNER JOIN core.response AS k ON r.response_id = k.response_id
GROUP BY k.kind
