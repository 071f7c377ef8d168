-- Records of one person: those that share a mark of a rule, and whoever shares one with them.
-- A mark on more than five records is no identity but a habit (a number of nines, a shared mailbox).
-- The person's key is that of the record seen first, so it stays when records come and go.
WITH RECURSIVE numbered AS MATERIALIZED (
    SELECT generate_series(1, coalesce(max(cardinality(r.same_person)), 0)) AS rule_no
    FROM pg_temp.record AS r
),

shared AS MATERIALIZED (
    SELECT r.same_person[numbered.rule_no] AS mark
    FROM pg_temp.record AS r
    CROSS JOIN numbered
    WHERE r.same_person[numbered.rule_no] IS NOT null
    GROUP BY r.same_person[numbered.rule_no]
    HAVING count(*) BETWEEN 2 AND 5
),

member AS MATERIALIZED (
    SELECT
        s.mark,
        numbered.rule_no,
        r.patron_key
    FROM pg_temp.record AS r
    CROSS JOIN numbered
    INNER JOIN shared AS s ON r.same_person[numbered.rule_no] = s.mark
),

edge AS MATERIALIZED (
    SELECT
        a.patron_key,
        b.patron_key AS other_key,
        a.rule_no
    FROM member AS a
    INNER JOIN member AS b ON a.mark = b.mark AND a.patron_key != b.patron_key
),

reached AS (
    SELECT
        e.patron_key,
        e.patron_key AS member_key
    FROM edge AS e
    UNION
    SELECT
        r.patron_key,
        e.other_key
    FROM reached AS r
    INNER JOIN edge AS e ON r.member_key = e.patron_key
),

person AS (
    SELECT DISTINCT ON (r.patron_key)
        r.patron_key,
        r.member_key AS person_key
    FROM reached AS r
    INNER JOIN pii.patron AS k ON r.member_key = k.patron_key
    ORDER BY r.patron_key, k.first_seen_at, k.patron_key
),

rule AS (
    SELECT
        e.patron_key,
        min(e.rule_no) AS rule_no
    FROM edge AS e
    GROUP BY e.patron_key
)

INSERT INTO core.person_link (period, patron_key, person_key, rule_no)
SELECT
    :period,
    p.patron_key,
    p.person_key,
    r.rule_no
FROM person AS p
INNER JOIN rule AS r ON p.patron_key = r.patron_key
ORDER BY p.patron_key
