DELETE FROM mart.patron_group
WHERE period = :period
