SELECT
    l.loan_id AS loan,
    l.item_id AS item,
    l.loaned_at,
    l.due_at,
    l.returned_at
FROM core.loan AS l
WHERE l.patron_key = :patron_key
ORDER BY l.loaned_at, l.loan_id
