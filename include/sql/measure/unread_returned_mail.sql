-- Kept, and not yet taken for anything.
SELECT
    k.mail_id,
    k.content
FROM pii.returned_mail AS k
WHERE
    k.mail_id > :after
    AND k.copy_of IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM core.bounce AS b
        WHERE b.mail_id = k.mail_id
    )
ORDER BY k.mail_id
LIMIT :size
