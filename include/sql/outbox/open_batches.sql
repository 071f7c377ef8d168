-- What has mails that are due, or that nobody knows yet what became of, by what it is of.
SELECT
    m.ref,
    count(*) AS message_count
FROM core.message AS m
WHERE
    m.purpose = :purpose
    AND ((m.state = 'queued' AND m.due_at <= :now) OR m.state = 'sending')
GROUP BY m.ref
ORDER BY m.ref
