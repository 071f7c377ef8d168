-- The row stays: it keeps the mail, which still lies in the mailbox, from being read again.
UPDATE pii.returned_mail AS k SET content = ''
WHERE
    k.content != ''
    AND (
        k.mail_id IN (
            SELECT b.mail_id FROM core.bounce AS b
            WHERE b.message_id = ANY(CAST(:message_ids AS bigint[]))
        )
        OR EXISTS (
            SELECT 1 FROM UNNEST(CAST(:patterns AS text[])) AS p (pattern)
            WHERE LOWER(ENCODE(k.content, 'escape')) ~ p.pattern
        )
    )
