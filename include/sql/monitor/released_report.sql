SELECT
    o.edition,
    o.waiting_count + o.caught_count > 0 AS is_waited_for
FROM ops.report_mailing AS o
WHERE o.period = :period
