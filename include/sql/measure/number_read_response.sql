-- Several may come with the same key: two people without a token who say the same in the same second, one who
-- pressed the button twice. Each further one gets a key of its own, the same one when the file is read again.
UPDATE pg_temp.read_response AS r SET
    response_key = sha256(r.response_key || int4send(n.earlier_count::integer))
FROM (
    SELECT
        s.row_no,
        row_number() OVER (PARTITION BY s.response_key ORDER BY s.row_no) - 1 AS earlier_count
    FROM pg_temp.read_response AS s
) AS n
WHERE n.earlier_count > 0 AND r.row_no = n.row_no
