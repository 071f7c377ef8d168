-- The next mail that is due and may go out, unless its domain has had its share for now. Committed before
-- the mail server hears of it: whatever dies then, it is known to have begun. Who must not be written to any
-- more, or has answered, is left out here and nowhere earlier: what came in a second ago counts.
UPDATE core.message AS m SET
    state = CASE WHEN c.withdrawn_for IS NULL THEN 'sending' ELSE 'withdrawn' END,
    withdrawn_for = c.withdrawn_for,
    is_caught = :is_caught,
    worker_lock = CASE WHEN c.withdrawn_for IS NULL THEN cast(:worker_lock AS bigint) END,
    claimed_at = :claimed_at,
    first_tried_at = coalesce(m.first_tried_at, :now),
    attempt_count = m.attempt_count + 1
FROM (
    SELECT
        q.message_id,
        a.address,
        i.language,
        i.person_key,
        t.token AS survey_token,
        CASE
            WHEN a.address IS NULL THEN 'erased'
            WHEN q.purpose != 'survey' THEN NULL
            WHEN i.person_key IS NULL THEN 'not invited'
            WHEN EXISTS (
                SELECT 1 FROM core.suppression AS s
                WHERE s.address_key = q.recipient_key OR s.patron_key = i.person_key
            ) THEN 'suppressed'
            WHEN EXISTS (
                SELECT 1 FROM pii.response_token AS r
                WHERE r.token = t.token
            ) THEN 'answered'
        END AS withdrawn_for
    FROM (
        SELECT
            w.message_id,
            w.purpose,
            w.ref,
            w.recipient_key
        FROM core.sendable_message AS w
        WHERE
            w.purpose = :purpose
            AND w.ref = :ref
            AND w.due_at <= :now
            AND (
                w.step NOT LIKE 'reminder-%'
                OR EXISTS (
                    SELECT 1 FROM ops.answer_import AS n
                    WHERE n.campaign = w.ref AND n.exported_at >= :answers_since
                )
            )
            AND NOT EXISTS (
                SELECT 1 FROM ops.mail_bucket AS b
                WHERE b.bucket_key = w.domain_key AND b.next_at > :claimed_at
            )
        ORDER BY w.due_at, w.message_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS q
    LEFT JOIN pii.address AS a ON q.recipient_key = a.address_key
    LEFT JOIN core.invitation AS i
        ON q.purpose = 'survey' AND q.ref = i.campaign AND q.recipient_key = i.address_key
    LEFT JOIN pii.survey_token AS t
        ON i.campaign = t.campaign AND i.person_key = t.person_key
) AS c
WHERE m.message_id = c.message_id
RETURNING
    m.message_id,
    m.step,
    m.edition,
    m.token,
    m.state,
    m.domain_key,
    c.address,
    c.language,
    c.survey_token
