-- What the responses of a file say, for the length of the transaction.
CREATE TEMPORARY TABLE read_answer (
    row_no integer NOT NULL,
    question_code text NOT NULL,
    option_code text NOT NULL
) ON COMMIT DROP
