SELECT
    e.edition,
    e.released_at,
    e.released_by
FROM ops.report_release AS e
WHERE e.period = :period
