-- His addresses, of every month and extract that is kept and of every survey; and whether somebody else has
-- one too, or gets other mail there, as who receives the report.
WITH known AS (
    SELECT
        m.address_key,
        NULL AS email
    FROM core.patron_month AS m
    WHERE m.patron_key = :patron_key
    UNION ALL
    SELECT
        p.address_key,
        p.email
    FROM stage.patron AS p
    WHERE p.source_id = :source_id
    UNION ALL
    SELECT
        i.address_key,
        NULL
    FROM core.invitation AS i
    WHERE i.person_key = :patron_key
),

own AS (
    SELECT
        k.address_key,
        coalesce(max(a.address), max(k.email)) AS address
    FROM known AS k
    LEFT JOIN pii.address AS a ON k.address_key = a.address_key
    WHERE k.address_key IS NOT NULL
    GROUP BY k.address_key
)

SELECT
    o.address_key,
    o.address,
    EXISTS (
        SELECT 1 FROM core.patron_month AS m
        WHERE m.address_key = o.address_key AND m.patron_key IS DISTINCT FROM cast(:patron_key AS uuid)
    )
    OR EXISTS (
        SELECT 1 FROM stage.patron AS p
        WHERE p.address_key = o.address_key AND p.source_id != :source_id
    )
    OR EXISTS (
        SELECT 1 FROM core.message AS m
        WHERE m.recipient_key = o.address_key AND m.purpose != 'survey'
    ) AS is_shared
FROM own AS o
