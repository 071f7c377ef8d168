-- Mailable: the address and the person have no suppression that still holds.
WITH newest AS (
    SELECT DISTINCT ON (s.address_key, s.person_key)
        s.address_key,
        s.person_key,
        s.kind
    FROM core.suppression_event AS s
    ORDER BY s.address_key ASC, s.person_key ASC, s.event_id DESC
),

suppressed AS (
    SELECT
        n.address_key,
        n.person_key
    FROM newest AS n
    WHERE n.kind != 'lifted'
),

counted AS (
    SELECT
        count(*) FILTER (WHERE m.is_current) AS current_count,
        count(*) FILTER (WHERE m.is_real_customer) AS real_customer_count,
        count(DISTINCT m.person_key) FILTER (WHERE m.is_real_customer) AS real_person_count,
        count(*) FILTER (
            WHERE
            m.is_real_customer
            AND NOT EXISTS (
                SELECT 1 FROM suppressed AS s
                WHERE s.address_key = m.address_key OR s.person_key = m.person_key
            )
        ) AS mailable_count
    FROM core.patron_month AS m
    WHERE m.period = :period
),

refused AS (
    SELECT count(DISTINCT r.record_no) AS rejected_count
    FROM core.rejection AS r
    WHERE r.period = :period
)

INSERT INTO mart.patron_funnel
(
    period, extract_id, extracted_count, current_count, real_customer_count, real_person_count,
    mailable_count, rejected_count, as_of_at, as_of_date, definition_hash, published_at
)
SELECT
    :period,
    e.extract_id,
    e.source_count,
    c.current_count,
    c.real_customer_count,
    c.real_person_count,
    c.mailable_count,
    r.rejected_count,
    e.as_of_at,
    e.as_of_date,
    :definition_hash,
    :now
FROM ops.extract AS e
CROSS JOIN counted AS c
CROSS JOIN refused AS r
WHERE e.extract_id = :extract_id
