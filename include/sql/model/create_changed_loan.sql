-- What the warehouse does not know yet of the loans that were read, for the length of the transaction.
CREATE TEMPORARY TABLE changed_loan (
    loan_id text NOT NULL,
    patron_key uuid,
    item_id text,
    loaned_at timestamptz NOT NULL,
    due_at timestamptz,
    returned_at timestamptz,
    known_loaned_at timestamptz
) ON COMMIT DROP
