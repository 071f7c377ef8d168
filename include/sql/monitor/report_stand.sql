-- How far the report on a period is; and whether its readers have ever had one.
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
        SELECT count(*) > 0 FROM ops.report_release AS e
        WHERE e.period = :period
    ) AS is_released,
    (SELECT count(*) > 0 FROM ops.report_release) AS is_known_to_readers
