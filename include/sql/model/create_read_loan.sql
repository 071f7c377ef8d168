-- Where the loans that a source gives lie for the length of the transaction.
CREATE TEMPORARY TABLE read_loan (
    loan_id text,
    source_id text,
    item_id text,
    loaned_at timestamptz,
    due_at timestamptz,
    returned_at timestamptz
) ON COMMIT DROP
