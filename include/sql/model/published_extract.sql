SELECT f.extract_id FROM mart.patron_funnel AS f
WHERE f.period = :period
