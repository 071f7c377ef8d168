DELETE FROM mart.patron_group_rejection
WHERE period = :period
