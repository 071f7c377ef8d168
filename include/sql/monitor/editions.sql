-- Every edition that is kept, the newest first; and of which languages, and whether it was the one let go.
SELECT
    r.period,
    r.edition,
    array_agg(r.language ORDER BY r.language DESC) AS languages,
    min(r.cut_at) AS cut_at,
    bool_and(r.pdf IS NOT NULL) AS has_pdf,
    e.released_at,
    e.released_by
FROM ops.report AS r
LEFT JOIN ops.report_release AS e ON r.period = e.period AND r.edition = e.edition
GROUP BY r.period, r.edition, e.released_at, e.released_by
ORDER BY r.period DESC, r.edition DESC
