DELETE FROM ops.work_item_filed AS f
WHERE f.last_filed_date < cast(:before AS date)
