-- Two people without a token may say the same in the same second: the second of them gets a key of his own,
-- and gets the same one when the file is read again.
UPDATE pg_temp.read_response AS r SET
    response_key = sha256(r.response_key || int4send(n.earlier_count::integer))
FROM (
    SELECT
        s.row_no,
        row_number() OVER (PARTITION BY s.response_key ORDER BY s.row_no) - 1 AS earlier_count
    FROM pg_temp.read_response AS s
) AS n
WHERE n.earlier_count > 0 AND r.row_no = n.row_no
