-- Late: new, although the time at which the loan began was read before. Unusable: without an id or a
-- beginning, or with an id that came before. Misdated: came back before it began, or after the instant that
-- the data is of.
WITH found AS (
    SELECT
        count(*) AS read_count,
        count(DISTINCT r.loan_id) FILTER (WHERE r.loaned_at IS NOT NULL) AS usable_count,
        count(*) FILTER (WHERE r.returned_at < r.loaned_at OR r.returned_at > :as_of_at) AS misdated_count
    FROM pg_temp.read_loan AS r
),

read_before AS (
    SELECT range_agg(tstzrange(r.since_at, r.until_at)) AS spans FROM ops.loan_reading AS r
    WHERE r.source = :source
),

changed AS (
    SELECT
        count(*) FILTER (WHERE c.known_loaned_at IS NULL) AS new_count,
        count(*) FILTER (WHERE c.known_loaned_at IS NOT NULL) AS changed_count,
        count(*) FILTER (WHERE c.known_loaned_at IS NULL AND c.loaned_at <@ b.spans) AS late_count
    FROM pg_temp.changed_loan AS c
    CROSS JOIN read_before AS b
)

INSERT INTO ops.loan_reading
(
    source, period, since_at, until_at, read_count, new_count, changed_count, late_count, misdated_count,
    unusable_count, read_at
)
SELECT
    :source,
    :period,
    :since_at,
    :until_at,
    f.read_count,
    c.new_count,
    c.changed_count,
    c.late_count,
    f.misdated_count,
    f.read_count - f.usable_count,
    :now
FROM found AS f
CROSS JOIN changed AS c
ON CONFLICT (source, period) DO UPDATE
    SET
        since_at = excluded.since_at,
        until_at = excluded.until_at,
        read_count = excluded.read_count,
        new_count = excluded.new_count,
        changed_count = excluded.changed_count,
        late_count = excluded.late_count,
        misdated_count = excluded.misdated_count,
        unusable_count = excluded.unusable_count,
        read_at = excluded.read_at
RETURNING
    read_count,
    new_count,
    changed_count,
    late_count,
    misdated_count,
    unusable_count
