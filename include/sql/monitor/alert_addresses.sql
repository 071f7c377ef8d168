SELECT a.address
FROM pii.alert_address AS a
ORDER BY a.address
