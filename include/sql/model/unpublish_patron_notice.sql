DELETE FROM mart.patron_notice
WHERE period = :period
