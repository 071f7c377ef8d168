SELECT
    f.extract_id,
    f.rejected_count
FROM mart.patron_funnel AS f
WHERE f.period = :period
