SELECT count(*) FROM core.patron_month AS m
WHERE m.period = :period AND m.is_real_customer
