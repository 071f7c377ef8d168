-- Mailable: nobody has suppressed the address, and the person has not objected, by any record of theirs.
WITH dead AS (
    SELECT DISTINCT s.address_key
    FROM core.suppression AS s
    WHERE s.address_key IS NOT null
),

objecting AS (
    SELECT DISTINCT m.person_key
    FROM core.suppression AS s
    INNER JOIN core.patron_month AS m ON s.patron_key = m.patron_key
    WHERE m.period = :period
),

real AS (
    SELECT
        count(DISTINCT m.person_key) AS real_person_count,
        count(*) FILTER (WHERE d.address_key IS null AND o.person_key IS null) AS mailable_count
    FROM core.patron_month AS m
    LEFT JOIN dead AS d ON m.address_key = d.address_key
    LEFT JOIN objecting AS o ON m.person_key = o.person_key
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
