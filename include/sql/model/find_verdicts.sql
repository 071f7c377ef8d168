-- A record's reasons are collected as bits of one number: that takes a single pass and no sorting, and only
-- the few combinations that there are have to be spelt out. Reasons of a suite's own come last.
WITH check_reason AS (
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
    WHERE c.reason_code IN ('undecodable', 'malformed')
),

reason AS (
    SELECT
        r.check_no,
        r.reason_code,
        coalesce(c.is_about_population, false) AS is_outside,
        dense_rank() OVER (ORDER BY c.rank NULLS LAST, r.reason_code) AS place
    FROM check_reason AS r
    LEFT JOIN core.reason AS c ON r.reason_code = c.reason_code
),

found AS (
    SELECT
        r.record_no,
        r.check_no
    FROM stage.rejection AS r
    WHERE r.extract_id = :extract_id
    UNION ALL
    SELECT
        q.record_no,
        -c.rank
    FROM pii.quarantine AS q
    INNER JOIN core.reason AS c ON q.reason_code = c.reason_code
    WHERE q.extract_id = :extract_id
),

record AS MATERIALIZED (
    SELECT
        f.record_no,
        bit_or(1::bigint << r.place::integer) AS reasons
    FROM found AS f
    INNER JOIN reason AS r ON f.check_no = r.check_no
    GROUP BY f.record_no
),

distinct_combination AS (
    SELECT c.reasons FROM record AS c
    GROUP BY c.reasons
),

distinct_reason AS (
    SELECT
        r.reason_code,
        r.place,
        r.is_outside
    FROM reason AS r
    GROUP BY r.reason_code, r.place, r.is_outside
),

combination AS (
    SELECT
        c.reasons,
        array_agg(r.reason_code ORDER BY r.place) AS reason_codes,
        bool_or(r.is_outside) AS is_outside
    FROM distinct_combination AS c
    INNER JOIN distinct_reason AS r ON c.reasons & (1::bigint << r.place::integer) != 0
    GROUP BY c.reasons
)

INSERT INTO pg_temp.verdict (record_no, reason_codes, is_outside)
SELECT
    r.record_no,
    c.reason_codes,
    c.is_outside
FROM record AS r
INNER JOIN combination AS c ON r.reasons = c.reasons
