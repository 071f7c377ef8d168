SELECT
    f.name,
    f.about,
    f.unit,
    f.value,
    f.base,
    f.low,
    f.high,
    f.source
FROM ops.report_figure AS f
WHERE f.period = :period AND f.edition = :edition
ORDER BY f.figure_no
