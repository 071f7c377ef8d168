-- Every group stands here, also an empty one; records that cannot be read belong to none: unmapped.
WITH counted AS (
    SELECT
        c.group_code,
        sum(c.record_count) AS extracted_count,
        coalesce(sum(c.record_count) FILTER (WHERE c.reason_codes IS null), 0) AS real_customer_count
    FROM stage.verdict_count AS c
    GROUP BY c.group_code
)

INSERT INTO mart.patron_group (period, group_code, extracted_count, real_customer_count)
SELECT
    :period,
    g.group_code,
    coalesce(c.extracted_count, 0),
    coalesce(c.real_customer_count, 0)
FROM core.patron_group AS g
LEFT JOIN counted AS c ON g.group_code = c.group_code
