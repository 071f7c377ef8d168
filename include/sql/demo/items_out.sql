-- Items that were out at an instant, and when they came back.
SELECT
    l.item_barcode,
    l.returned_at AT TIME ZONE 'Asia/Bangkok' AS returned_at
FROM autolib.loan AS l
WHERE l.returned_at IS NULL OR l.returned_at > :at
