-- The newest word counts: what was read of an older state of the source changes no loan that was read of a
-- newer one. Two things are never taken back, whoever says so: that an item was returned, and that a loan is
-- nobody's. What came back before it began, or after the instant that the data is of, is back, but when is
-- not known: it counts as back at once.
WITH told AS (
    SELECT DISTINCT ON (r.loan_id) -- of an id that comes twice the row that knows most
        r.loan_id,
        k.patron_key,
        r.item_id,
        r.loaned_at,
        r.due_at,
        CASE
            WHEN r.returned_at < r.loaned_at OR r.returned_at > :as_of_at THEN r.loaned_at ELSE r.returned_at
        END AS returned_at
    FROM pg_temp.read_loan AS r
    LEFT JOIN pii.patron AS k ON k.source = :source AND r.source_id = k.source_id
    WHERE r.loan_id IS NOT NULL AND r.loaned_at IS NOT NULL
    ORDER BY
        r.loan_id ASC,
        r.returned_at DESC NULLS LAST,
        r.due_at DESC NULLS LAST,
        r.loaned_at ASC,
        r.item_id ASC,
        r.source_id ASC
),

compared AS (
    SELECT
        t.loan_id,
        t.item_id,
        t.loaned_at,
        t.due_at,
        known.loaned_at AS known_loaned_at,
        CASE WHEN known.loan_id IS NULL OR known.patron_key IS NOT NULL THEN t.patron_key END AS patron_key,
        coalesce(t.returned_at, known.returned_at) AS returned_at,
        row(known.patron_key, known.item_id, known.loaned_at, known.due_at, known.returned_at) AS known_loan
    FROM told AS t
    LEFT JOIN core.loan AS known ON known.source = :source AND t.loan_id = known.loan_id
    WHERE known.loan_id IS NULL OR known.as_of_at <= :as_of_at
)

INSERT INTO pg_temp.changed_loan
(loan_id, patron_key, item_id, loaned_at, due_at, returned_at, known_loaned_at)
SELECT
    c.loan_id,
    c.patron_key,
    c.item_id,
    c.loaned_at,
    c.due_at,
    c.returned_at,
    c.known_loaned_at
FROM compared AS c
WHERE row(c.patron_key, c.item_id, c.loaned_at, c.due_at, c.returned_at) IS DISTINCT FROM c.known_loan
