INSERT INTO mart.patron_rejection (period, reason_code, record_count, first_count)
SELECT
    :period,
    r.reason_code,
    sum(c.record_count),
    coalesce(sum(c.record_count) FILTER (WHERE r.place = 1), 0)
FROM stage.verdict_count AS c
CROSS JOIN LATERAL unnest(c.reason_codes) WITH ORDINALITY AS r (reason_code, place)
GROUP BY r.reason_code
