SELECT count(*) FROM core.rejection AS r
WHERE r.period < :period
