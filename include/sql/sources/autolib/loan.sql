-- Loans that were out at some moment from :since until before :until. AutoLib keeps no instant of a renewal,
-- so whatever is still out is among them: its due date may be another one.
SELECT
    l.loan_id::text AS loan_id,
    l.member_id AS source_id,
    l.item_barcode AS item_id,
    l.loaned_at,
    l.due_at,
    l.returned_at
FROM autolib.loan AS l
WHERE
    l.loaned_at < :until
    AND (l.loaned_at >= :since OR l.returned_at >= :since OR l.returned_at IS NULL)
