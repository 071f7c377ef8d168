-- Whether there is anything to send: a dialogue with the mail server is opened for nothing else.
SELECT true AS has_due
FROM core.sendable_message AS m
WHERE
    m.purpose = :purpose
    AND m.ref = :ref
    AND m.due_at <= :now
    AND m.answers_known_until >= :answers_since
ORDER BY m.due_at
LIMIT 1
