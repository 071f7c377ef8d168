-- Those mails of a mailbox that are not kept yet.
SELECT u.mark
FROM unnest(cast(:marks AS text[])) WITH ORDINALITY AS u (mark, place)
WHERE
    NOT EXISTS (
        SELECT 1 FROM pii.returned_mail AS k
        WHERE k.mailbox = :mailbox AND k.mark = u.mark
    )
ORDER BY u.place
