DELETE FROM core.patron_month AS m
WHERE m.patron_key = :patron_key
