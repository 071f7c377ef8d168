-- Loans that were out at some moment from :since until before :until. AutoLib keeps no instant of a renewal,
-- so whatever is still out is among them: its due date may be another one.
-- An instant that can be none of a loan, as 'infinity' or one of the year 18, is given as NULL.
SELECT
    l.loan_id::text AS loan_id,
    l.member_id AS source_id,
    l.item_barcode AS item_id,
    CASE
        WHEN l.loaned_at BETWEEN timestamptz '1900-01-01' AND timestamptz '2200-01-01' THEN l.loaned_at
    END AS loaned_at,
    CASE
        WHEN l.due_at BETWEEN timestamptz '1900-01-01' AND timestamptz '2200-01-01' THEN l.due_at
    END AS due_at,
    CASE
        WHEN l.returned_at BETWEEN timestamptz '1900-01-01' AND timestamptz '2200-01-01' THEN l.returned_at
    END AS returned_at
FROM autolib.loan AS l
WHERE
    l.loaned_at < :until
    AND (
        l.loaned_at >= :since
        OR l.returned_at >= :since
        OR l.returned_at IS NULL
        OR l.returned_at < timestamptz '1900-01-01'
    )
