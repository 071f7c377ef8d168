-- Records of one person: those that share a mark of a rule, and whoever shares one with them.
-- The person's key is that of the record seen first, so it stays when records come and go.
WITH RECURSIVE member AS MATERIALIZED (
    SELECT
        m.mark,
        m.rule_no,
        r.patron_key,
        r.first_seen_at
    FROM stage.member AS m
    INNER JOIN stage.record AS r ON m.record_no = r.record_no
),

edge AS MATERIALIZED (
    SELECT
        a.patron_key,
        b.patron_key AS other_key,
        b.first_seen_at AS other_first_seen_at,
        a.rule_no
    FROM member AS a
    INNER JOIN member AS b ON a.mark = b.mark AND a.patron_key != b.patron_key
),

reached AS (
    SELECT DISTINCT
        m.patron_key,
        m.patron_key AS member_key,
        m.first_seen_at
    FROM member AS m
    UNION
    SELECT
        r.patron_key,
        e.other_key,
        e.other_first_seen_at
    FROM reached AS r
    INNER JOIN edge AS e ON r.member_key = e.patron_key
),

person AS (
    SELECT DISTINCT ON (r.patron_key)
        r.patron_key,
        r.member_key AS person_key
    FROM reached AS r
    ORDER BY r.patron_key ASC, r.first_seen_at ASC NULLS LAST, r.member_key ASC
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
