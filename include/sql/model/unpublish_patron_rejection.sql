DELETE FROM mart.patron_rejection
WHERE period = :period
