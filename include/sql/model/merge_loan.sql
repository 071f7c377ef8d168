INSERT INTO core.loan (source, loan_id, patron_key, item_id, loaned_at, due_at, returned_at, as_of_at)
SELECT
    :source,
    c.loan_id,
    c.patron_key,
    c.item_id,
    c.loaned_at,
    c.due_at,
    c.returned_at,
    :as_of_at
FROM pg_temp.changed_loan AS c
ORDER BY c.loan_id
ON CONFLICT (source, loan_id) DO UPDATE SET
    patron_key = excluded.patron_key,
    item_id = excluded.item_id,
    loaned_at = excluded.loaned_at,
    due_at = excluded.due_at,
    returned_at = excluded.returned_at,
    as_of_at = excluded.as_of_at
