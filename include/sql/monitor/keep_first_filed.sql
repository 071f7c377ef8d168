-- The first day stays, however often an item is read again.
INSERT INTO ops.work_item_filed AS f (item_id, first_filed_date, last_filed_date)
SELECT
    i.item_id,
    cast(:today AS date),
    cast(:today AS date)
FROM unnest(cast(:item_ids AS text[])) AS i (item_id)
ORDER BY i.item_id
ON CONFLICT (item_id) DO UPDATE SET last_filed_date = excluded.last_filed_date
RETURNING f.item_id, f.first_filed_date
