-- People who may be written to today, of the newest period that is published.
SELECT
    p.period,
    count(*) AS person_count
FROM core.mailable_person AS p
WHERE p.period = (SELECT max(f.period) FROM mart.patron_funnel AS f)
GROUP BY p.period
