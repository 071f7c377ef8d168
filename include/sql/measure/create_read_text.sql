-- What the responses of a file say in their own words, for the length of the transaction.
CREATE TEMPORARY TABLE read_text (
    row_no integer NOT NULL,
    question_code text NOT NULL,
    answer text NOT NULL
) ON COMMIT DROP
