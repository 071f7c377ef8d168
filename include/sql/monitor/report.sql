SELECT
    r.subject,
    r.html,
    r.text
FROM ops.report AS r
WHERE r.period = :period AND r.language = :language AND r.edition = :edition
