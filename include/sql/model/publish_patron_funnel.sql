-- Mailable: for the address and for the person the newest event, if there is one, lifts what was before.
WITH newest_of_address AS (
    SELECT DISTINCT ON (s.address_key)
        s.address_key,
        s.kind
    FROM core.suppression_event AS s
    WHERE s.address_key IS NOT NULL
    ORDER BY s.address_key ASC, s.event_id DESC
),

newest_of_person AS (
    SELECT DISTINCT ON (s.person_key)
        s.person_key,
        s.kind
    FROM core.suppression_event AS s
    WHERE s.person_key IS NOT NULL
    ORDER BY s.person_key ASC, s.event_id DESC
),

real AS (
    SELECT
        count(DISTINCT m.person_key) AS real_person_count,
        count(*) FILTER (
            WHERE coalesce(a.kind, 'lifted') = 'lifted' AND coalesce(p.kind, 'lifted') = 'lifted'
        ) AS mailable_count
    FROM core.patron_month AS m
    LEFT JOIN newest_of_address AS a ON m.address_key = a.address_key
    LEFT JOIN newest_of_person AS p ON m.person_key = p.person_key
    WHERE m.period = :period AND m.is_real_customer
)

INSERT INTO mart.patron_funnel
(
    period, extract_id, extracted_count, current_count, real_customer_count, real_person_count,
    mailable_count, rejected_count, as_of_at, as_of_date, definition_hash,
    mapping_hash, suite_hash, published_at
)
SELECT
    :period,
    e.extract_id,
    e.source_count,
    :current_count,
    :real_count,
    r.real_person_count,
    r.mailable_count,
    :rejected_count,
    e.as_of_at,
    e.as_of_date,
    :definition_hash,
    :mapping_hash,
    :suite_hash,
    :now
FROM ops.extract AS e
CROSS JOIN real AS r
WHERE e.extract_id = :extract_id
