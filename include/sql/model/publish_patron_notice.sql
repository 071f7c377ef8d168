-- Counted whatever the verdict; contradictions are the records whose verdict the source's YAML decides.
WITH counted AS (
    SELECT
        coalesce(sum(c.single_name), 0) AS single_name,
        coalesce(sum(c.past_expiry), 0) AS past_expiry,
        coalesce(sum(c.no_expiry), 0) AS no_expiry,
        coalesce(sum(c.likely_typo), 0) AS likely_typo
    FROM stage.verdict_count AS c
)

INSERT INTO mart.patron_notice (period, notice_code, record_count)
SELECT
    :period,
    n.notice_code,
    n.record_count
FROM counted AS c
CROSS JOIN
    LATERAL (
        VALUES
        ('single_name', c.single_name),
        ('past_expiry', c.past_expiry),
        ('no_expiry', c.no_expiry),
        ('likely_typo', c.likely_typo),
        ('shared_address', :shared_address)
    ) AS n (notice_code, record_count)
