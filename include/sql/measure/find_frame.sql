-- Every person behind a real customer of the period, and why he is not asked: NULL means that he may be. Who
-- is on the list of another campaign that is not over counts as asked from its draw on; whose mail may or may
-- not have gone out, from its claim. Of people who share an address one is asked, whom the seed picks.
WITH person AS (
    SELECT DISTINCT ON (m.person_key)
        m.person_key,
        m.group_code
    FROM core.patron_month AS m
    INNER JOIN core.patron_group AS g ON m.group_code = g.group_code
    WHERE m.period = :period AND m.is_real_customer
    ORDER BY m.person_key, g.rank, m.record_no
),

asked AS (
    SELECT
        i.person_key,
        i.address_key
    FROM core.invitation AS i
    LEFT JOIN core.message AS s
        ON i.campaign = s.ref AND i.address_key = s.recipient_key AND s.purpose = 'survey'
    WHERE
        i.campaign != :campaign
        AND (
            (
                s.state IN ('sent', 'sending', 'uncertain')
                AND coalesce(s.sent_at, s.claimed_at) >= cast(:asked_since AS timestamptz)
            )
            OR (
                (s.message_id IS NULL OR s.state = 'queued')
                AND i.campaign = any(string_to_array(:going_to_ask, ','))
            )
        )
),

candidate AS (
    SELECT
        p.person_key,
        p.group_code AS person_group_code,
        m.group_code,
        m.address_key,
        CASE
            WHEN m.person_key IS NULL THEN 'suppressed'
            WHEN m.group_code != all(string_to_array(:groups, ',')) THEN 'other group'
            WHEN
                EXISTS (
                    SELECT 1 FROM asked AS a
                    WHERE a.person_key = p.person_key
                )
                OR EXISTS (
                    SELECT 1 FROM asked AS a
                    WHERE a.address_key = m.address_key
                )
                THEN 'asked lately'
        END AS left_out_for
    FROM person AS p
    LEFT JOIN core.mailable_person AS m ON m.period = :period AND p.person_key = m.person_key
),

placed AS (
    SELECT
        c.*,
        row_number() OVER (
            PARTITION BY c.address_key, c.left_out_for IS NULL
            ORDER BY md5(:seed || ' address ' || c.person_key)
        ) AS place,
        count(*) OVER (PARTITION BY c.address_key, c.left_out_for IS NULL) AS sharing_count
    FROM candidate AS c
)

SELECT
    p.person_key,
    p.address_key,
    coalesce(p.group_code, p.person_group_code) AS group_code,
    CASE WHEN p.left_out_for IS NULL AND p.place > 1 THEN 'shared address' ELSE p.left_out_for END
        AS left_out_for,
    p.sharing_count
FROM placed AS p
