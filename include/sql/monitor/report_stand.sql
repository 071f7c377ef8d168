-- How far the report on a period is; and whether its readers have ever had another one.
SELECT
    (
        SELECT count(*) > 0 FROM mart.patron_funnel AS f
        WHERE f.period = :period
    ) AS is_published,
    (
        SELECT count(*) > 0 FROM ops.report AS r
        WHERE r.period = :period
    ) AS is_rendered,
    (
        SELECT count(*) > 0 FROM core.message AS m
        WHERE m.purpose = 'report' AND m.state = 'sent' AND m.ref != :period
    ) AS is_known_to_readers,
    o.period IS NOT NULL AS is_released,
    coalesce(o.is_out, FALSE) AS is_out,
    coalesce(o.waiting_count, 0) AS waiting_count,
    coalesce(o.caught_count, 0) AS caught_count
FROM (SELECT 1) AS one
LEFT JOIN ops.report_mailing AS o ON o.period = :period
