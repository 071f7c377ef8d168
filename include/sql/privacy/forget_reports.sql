DELETE FROM ops.report AS r
WHERE r.period < :period
