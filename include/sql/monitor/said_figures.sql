-- Of the edition that was let go; of the newest one where none was.
SELECT
    f.name,
    f.about,
    f.value
FROM ops.report_figure AS f
WHERE
    f.period = :period
    AND f.edition = coalesce(
        (
            SELECT r.edition FROM ops.report_release AS r
            WHERE r.period = :period
        ),
        (
            SELECT max(n.edition) FROM ops.report_figure AS n
            WHERE n.period = :period
        )
    )
