-- The period that was read, and every other one in which a changed loan began; but only periods that were
-- read themselves: of any other one there are but the loans that were still out later.
WITH touched AS (
    SELECT to_char(c.loaned_at AT TIME ZONE :zone, 'YYYY-MM') AS period FROM pg_temp.changed_loan AS c
    UNION
    SELECT to_char(c.known_loaned_at AT TIME ZONE :zone, 'YYYY-MM') FROM pg_temp.changed_loan AS c
),

month AS (
    SELECT
        r.period,
        to_date(r.period, 'YYYY-MM')::timestamp AS starts_at
    FROM ops.loan_reading AS r
    WHERE r.source = :source AND (r.period = :period OR r.period IN (SELECT t.period FROM touched AS t))
)

INSERT INTO mart.loan_month (period, loan_count, anonymous_count, borrower_count, counted_at)
SELECT
    m.period,
    count(l.loan_id),
    count(l.loan_id) FILTER (WHERE l.patron_key IS NULL),
    count(DISTINCT l.patron_key),
    :now
FROM month AS m
LEFT JOIN core.loan AS l
    ON
        l.source = :source
        AND l.loaned_at >= m.starts_at AT TIME ZONE :zone
        AND l.loaned_at < (m.starts_at + interval '1 month') AT TIME ZONE :zone
GROUP BY m.period
ON CONFLICT (period) DO UPDATE SET
    loan_count = excluded.loan_count,
    anonymous_count = excluded.anonymous_count,
    borrower_count = excluded.borrower_count,
    counted_at = excluded.counted_at
