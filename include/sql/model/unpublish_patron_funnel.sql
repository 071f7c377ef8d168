DELETE FROM mart.patron_funnel
WHERE period = :period
