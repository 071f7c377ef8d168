-- Which responses are known, and which of these read differently now: the form's YAML names more spellings or
-- other columns than it did.
WITH known AS (
    SELECT
        r.row_no,
        k.response_id,
        array_agg(a.question_code || '=' || a.option_code ORDER BY a.question_code, a.option_code)
        FILTER (WHERE a.response_id IS NOT NULL) AS said
    FROM pg_temp.read_response AS r
    INNER JOIN core.response AS k ON r.response_key = k.response_key
    LEFT JOIN core.answer AS a ON k.response_id = a.response_id
    WHERE k.campaign = :campaign
    GROUP BY r.row_no, k.response_id
),

found AS (
    SELECT
        a.row_no,
        array_agg(a.question_code || '=' || a.option_code ORDER BY a.question_code, a.option_code) AS said
    FROM pg_temp.read_answer AS a
    GROUP BY a.row_no
)

UPDATE pg_temp.read_response AS r SET
    response_id = k.response_id,
    is_written = k.said IS DISTINCT FROM f.said
FROM known AS k
LEFT JOIN found AS f ON k.row_no = f.row_no
WHERE r.row_no = k.row_no
