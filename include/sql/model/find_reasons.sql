-- What each check's number stands for. The places are the fixed order; reasons of a suite's own come last.
WITH known AS (
    SELECT
        q.check_no,
        q.reason_code
    FROM ops.quality_result AS q
    WHERE q.extract_id = :extract_id
    UNION ALL
    SELECT
        -c.rank,
        c.reason_code
    FROM core.reason AS c
    WHERE c.reason_code IN ('undecodable', 'malformed', 'objected')
)

SELECT
    k.check_no,
    k.reason_code,
    coalesce(c.is_about_population, false) AS is_outside,
    1::bigint << dense_rank() OVER (ORDER BY c.rank NULLS LAST, k.reason_code)::integer AS reason_bit
FROM known AS k
LEFT JOIN core.reason AS c ON k.reason_code = c.reason_code
