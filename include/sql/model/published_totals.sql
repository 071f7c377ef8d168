-- Counted in what was written, each total from another table.
WITH month AS (
    SELECT
        count(*) FILTER (WHERE m.is_current) AS current_count,
        count(*) FILTER (WHERE m.is_real_customer) AS real_count
    FROM core.patron_month AS m
    WHERE m.period = :period
)

SELECT
    m.current_count,
    m.real_count,
    (
        SELECT count(*) FROM core.rejection AS r
        WHERE r.period = :period AND r.is_first
    ) AS rejected_count,
    (
        SELECT coalesce(sum(g.extracted_count), 0) FROM mart.patron_group AS g
        WHERE g.period = :period
    ) AS grouped_count,
    (
        SELECT coalesce(sum(s.record_count), 0) FROM mart.patron_rejection_set AS s
        WHERE s.period = :period
    ) AS combined_count
FROM month AS m
