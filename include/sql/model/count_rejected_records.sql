SELECT count(DISTINCT r.record_no) FROM core.rejection AS r
WHERE r.period = :period
