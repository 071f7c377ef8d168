-- Records of one person: those that share a mark of a rule, and whoever shares one with them.
-- A mark on more than five records is no identity but a habit (a number of nines, a shared mailbox).
-- The person's key is that of the record seen first, so it stays when records come and go.
WITH RECURSIVE marked AS (
    SELECT
        k.patron_key,
        k.first_seen_at,
        mark.rule_no,
        mark.mark
    FROM stage.patron AS p
    INNER JOIN pii.patron AS k ON k.source = :source AND p.source_id = k.source_id
    CROSS JOIN LATERAL unnest(p.same_person) WITH ORDINALITY AS mark (mark, rule_no)
    WHERE p.extract_id = :extract_id AND mark.mark IS NOT NULL
),

shared AS (
    SELECT
        m.rule_no,
        m.mark
    FROM marked AS m
    GROUP BY m.rule_no, m.mark
    HAVING count(*) BETWEEN 2 AND 5
),

linked AS MATERIALIZED (
    SELECT m.*
    FROM marked AS m
    INNER JOIN shared AS s ON m.rule_no = s.rule_no AND m.mark = s.mark
),

edge AS MATERIALIZED (
    SELECT
        a.patron_key,
        b.patron_key AS other_key,
        a.rule_no
    FROM linked AS a
    INNER JOIN linked AS b ON a.rule_no = b.rule_no AND a.mark = b.mark AND a.patron_key != b.patron_key
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
)

INSERT INTO core.person_link (period, patron_key, person_key, rule_no)
SELECT
    :period,
    p.patron_key,
    p.person_key,
    (
        SELECT min(e.rule_no) FROM edge AS e
        WHERE e.patron_key = p.patron_key
    )
FROM person AS p
ORDER BY p.patron_key
