-- The newest edition stays the newest while it says the same; else the next number is made.
WITH newest AS (
    SELECT
        r.edition,
        r.content_hash
    FROM ops.report AS r
    WHERE r.period = :period AND r.language = :language
    ORDER BY r.edition DESC
    LIMIT 1
),

made AS (
    INSERT INTO ops.report
    (period, language, edition, subject, html, text, content_hash, cut_at)
    SELECT
        :period,
        :language,
        coalesce((SELECT n.edition FROM newest AS n), 0) + 1,
        :subject,
        :html,
        :text,
        :content_hash,
        :cut_at
    WHERE
        NOT EXISTS (
            SELECT 1 FROM newest AS n
            WHERE n.content_hash = :content_hash
        )
    RETURNING edition
)

SELECT m.edition FROM made AS m
UNION ALL
SELECT n.edition FROM newest AS n
WHERE NOT EXISTS (SELECT 1 FROM made)
