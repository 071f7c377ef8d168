-- Every group stands here, also an empty one; records that cannot be read belong to none.
WITH unreadable AS (
    SELECT e.quarantined_count FROM ops.extract AS e
    WHERE e.extract_id = :extract_id
)

INSERT INTO mart.patron_group (period, group_code, extracted_count, real_customer_count)
SELECT
    :period,
    g.group_code,
    count(m.patron_key)
    + CASE WHEN g.group_code = 'unmapped' THEN (SELECT u.quarantined_count FROM unreadable AS u) ELSE 0 END,
    count(m.patron_key) FILTER (WHERE m.is_real_customer)
FROM core.patron_group AS g
LEFT JOIN core.patron_month AS m ON m.period = :period AND g.group_code = m.group_code
GROUP BY g.group_code
