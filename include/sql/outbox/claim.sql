-- The next mail that is due and may go out, unless its domain has had its share for now. Committed before
-- the mail server hears of it: whatever dies then, it is known to have begun. Who must not be written to any
-- more, or has answered, is left out here and nowhere earlier: what came in a second ago counts.
WITH
next AS MATERIALIZED (  -- planned by itself: the cost of finding it would drown that of every join after it
    SELECT
        s.message_id,
        s.purpose,
        s.ref,
        s.recipient_key
    FROM core.sendable_message AS s
    WHERE
        s.purpose = :purpose
        AND s.ref = :ref
        AND s.due_at <= :now
        AND s.answers_known_until >= :answers_since
        AND (
            s.domain_key IS NULL
            OR s.domain_key NOT IN (
                SELECT b.bucket_key FROM ops.mail_bucket AS b
                WHERE b.next_at > :claimed_at
            )
        )
    ORDER BY s.due_at, s.message_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
),

claimed AS MATERIALIZED (
    SELECT
        n.message_id,
        a.address,
        i.language,
        t.token AS survey_token,
        CASE
            WHEN a.address IS NULL THEN 'erased'
            WHEN n.purpose != 'survey' THEN NULL
            WHEN i.person_key IS NULL THEN 'not invited'
            WHEN EXISTS (
                SELECT 1 FROM core.suppression AS s
                WHERE s.address_key = n.recipient_key OR s.patron_key = i.person_key
            ) THEN 'suppressed'
            WHEN EXISTS (
                SELECT 1 FROM pii.response_token AS r
                WHERE r.token = t.token
            ) THEN 'answered'
        END AS withdrawn_for
    FROM next AS n
    LEFT JOIN pii.address AS a ON n.recipient_key = a.address_key
    LEFT JOIN core.invitation AS i
        ON n.purpose = 'survey' AND n.ref = i.campaign AND n.recipient_key = i.address_key
    LEFT JOIN pii.survey_token AS t
        ON i.campaign = t.campaign AND i.person_key = t.person_key
)

UPDATE core.message AS m SET
    state = CASE WHEN c.withdrawn_for IS NULL THEN 'sending' ELSE 'withdrawn' END,
    withdrawn_for = c.withdrawn_for,
    is_caught = :is_caught,
    worker_lock = CASE WHEN c.withdrawn_for IS NULL THEN cast(:worker_lock AS bigint) END,
    claimed_at = :claimed_at,
    first_tried_at = coalesce(m.first_tried_at, :now),
    attempt_count = m.attempt_count + 1
FROM claimed AS c
WHERE m.message_id = c.message_id
RETURNING
    m.message_id,
    m.step,
    m.edition,
    m.token,
    m.state,
    m.domain_key,
    m.has_pdf,
    c.address,
    c.survey_token,
    coalesce(m.language, c.language) AS written_in
