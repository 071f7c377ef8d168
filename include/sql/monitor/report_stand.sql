-- How far the report on a period is; and whether its readers have ever had one.
SELECT
    EXISTS (
        SELECT 1 FROM mart.patron_funnel AS f
        WHERE f.period = :period
    ) AS is_published,
    EXISTS (
        SELECT 1 FROM ops.report AS r
        WHERE r.period = :period
    ) AS is_rendered,
    EXISTS (
        SELECT 1 FROM ops.report_release AS e
        WHERE e.period = :period
    ) AS is_released,
    EXISTS (SELECT 1 FROM ops.report_release) AS is_known_to_readers
