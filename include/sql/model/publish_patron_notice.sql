-- Counted whatever the verdict; contradictions are the records whose verdict the source's YAML decides.
WITH counted AS (
    SELECT
        count(*) FILTER (WHERE p.name IS NOT null AND p.family_name IS null) AS single_name,
        count(*) FILTER (WHERE p.contradiction = 'past_expiry') AS past_expiry,
        count(*) FILTER (WHERE p.contradiction = 'no_expiry') AS no_expiry,
        count(*) FILTER (WHERE p.email_suggestion IS NOT null) AS likely_typo
    FROM stage.patron AS p
    WHERE p.extract_id = :extract_id
),

address AS (
    SELECT count(*) AS record_count
    FROM pg_temp.record AS r
    WHERE r.address_key IS NOT null
    GROUP BY r.address_key
    HAVING count(*) > 1
),

shared AS (
    SELECT coalesce(sum(a.record_count), 0) AS shared_address FROM address AS a
)

INSERT INTO mart.patron_notice (period, notice_code, record_count)
SELECT
    :period,
    n.notice_code,
    n.record_count
FROM counted AS c
CROSS JOIN shared AS s
CROSS JOIN
    LATERAL (
        VALUES
        ('single_name', c.single_name),
        ('past_expiry', c.past_expiry),
        ('no_expiry', c.no_expiry),
        ('likely_typo', c.likely_typo),
        ('shared_address', s.shared_address)
    ) AS n (notice_code, record_count)
