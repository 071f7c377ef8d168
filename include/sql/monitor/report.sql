SELECT
    r.subject,
    r.html,
    r.text,
    r.chart,
    r.pdf
FROM ops.report AS r
WHERE r.period = :period AND r.edition = :edition AND r.language = :language
