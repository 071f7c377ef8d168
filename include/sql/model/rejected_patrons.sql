-- Current members who lack something, as the library has them; the most frequent combination first.
WITH asked AS (
    SELECT
        r.record_no,
        array_agg(r.reason_code ORDER BY c.rank NULLS LAST, r.reason_code) AS reason_codes
    FROM core.rejection AS r
    LEFT JOIN core.reason AS c ON r.reason_code = c.reason_code
    WHERE r.period = :period
    GROUP BY r.record_no
    HAVING NOT coalesce(bool_or(c.is_about_population), false)
)

SELECT
    a.reason_codes,
    p.source_id,
    coalesce(p.title, p.prefix_raw) AS title,
    coalesce(nullif(concat_ws(' ', p.given_name_raw, p.family_name_raw), ''), p.full_name_raw) AS whole_name,
    coalesce(p.status, p.patron_type_raw) AS patron_type,
    p.affiliation_raw AS affiliation,
    p.email_raw AS email,
    p.name_fault,
    p.status_fault,
    p.affiliation_fault,
    p.email_fault,
    p.email_suggestion
FROM asked AS a
INNER JOIN stage.patron AS p ON p.extract_id = :extract_id AND a.record_no = p.record_no
ORDER BY count(*) OVER (PARTITION BY a.reason_codes) DESC, a.reason_codes ASC, p.record_no ASC
