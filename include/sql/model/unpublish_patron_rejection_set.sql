DELETE FROM mart.patron_rejection_set
WHERE period = :period
