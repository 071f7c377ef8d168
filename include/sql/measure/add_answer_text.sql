INSERT INTO pii.answer_text (response_id, question_code, answer)
SELECT
    r.response_id,
    t.question_code,
    t.answer
FROM pg_temp.read_text AS t
INNER JOIN pg_temp.read_response AS r ON t.row_no = r.row_no
WHERE r.is_written AND t.row_no >= :first AND t.row_no < :until
