-- Every edition that is kept, the newest first; and of which languages. Of the one that was let go: by whom,
-- when the first reader had it where it is out, and else how many mails have reached nobody.
SELECT
    r.period,
    r.edition,
    array_agg(r.language ORDER BY r.language DESC) AS languages,
    min(r.cut_at) AS cut_at,
    bool_and(r.pdf IS NOT NULL) AS has_pdf,
    o.released_by,
    CASE WHEN o.is_out THEN o.first_sent_at END AS mailed_at,
    coalesce(o.waiting_count + o.caught_count, 0) AS waiting_count
FROM ops.report AS r
LEFT JOIN ops.report_mailing AS o ON r.period = o.period AND r.edition = o.edition
GROUP BY
    r.period, r.edition, o.released_by, o.is_out, o.first_sent_at, o.waiting_count, o.caught_count
ORDER BY r.period DESC, r.edition DESC
