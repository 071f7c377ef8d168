-- Bytes outside ASCII as their octal numbers: a mail that came back may be in any encoding, or in none.
SELECT
    k.received_at,
    encode(k.content, 'escape') AS mail
FROM pii.returned_mail AS k
WHERE
    k.content != ''
    AND (
        k.mail_id IN (
            SELECT b.mail_id FROM core.bounce AS b
            WHERE b.message_id = any(cast(:message_ids AS bigint[]))
        )
        OR EXISTS (
            SELECT 1 FROM unnest(cast(:patterns AS text[])) AS p (pattern)
            WHERE lower(encode(k.content, 'escape')) ~ p.pattern
        )
    )
ORDER BY k.mail_id
