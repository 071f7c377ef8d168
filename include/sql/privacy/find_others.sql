-- Other records of the person: the one seen first comes first, as where people are published.
SELECT
    m.patron_key,
    min(k.first_seen_at) AS first_seen_at
FROM core.patron_month AS m
LEFT JOIN pii.patron AS k ON m.patron_key = k.patron_key
WHERE
    m.person_key = any(cast(:person_keys AS uuid[]))
    AND m.patron_key IS DISTINCT FROM cast(:patron_key AS uuid)
GROUP BY m.patron_key
ORDER BY first_seen_at ASC NULLS LAST, m.patron_key ASC
