-- The first day stays, however often an item is read again, until another question is asked under its id.
INSERT INTO ops.work_item_filed AS f (item_id, first_filed_date, last_filed_date, is_decided)
SELECT
    i.item_id,
    cast(:today AS date),
    cast(:today AS date),
    i.is_decided
FROM unnest(cast(:item_ids AS text[]), cast(:decided AS boolean[])) AS i (item_id, is_decided)
ORDER BY i.item_id
ON CONFLICT (item_id) DO UPDATE
    SET
        first_filed_date = CASE
            WHEN f.is_decided AND NOT excluded.is_decided THEN excluded.first_filed_date
            ELSE f.first_filed_date
        END,
        last_filed_date = excluded.last_filed_date,
        is_decided = excluded.is_decided
RETURNING f.item_id, f.first_filed_date
