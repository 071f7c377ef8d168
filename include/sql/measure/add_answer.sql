INSERT INTO core.answer (response_id, question_code, option_code)
SELECT
    r.response_id,
    a.question_code,
    a.option_code
FROM pg_temp.read_answer AS a
INNER JOIN pg_temp.read_response AS r ON a.row_no = r.row_no
WHERE r.is_written AND a.row_no >= :first AND a.row_no < :until
