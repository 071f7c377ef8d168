SELECT count(*) FROM core.patron_month AS m
WHERE m.period < :period
