-- Which mail it is about is told by our token; where a report has lost that, by the address, if a mail went
-- there in the thirty days before.
INSERT INTO core.bounce (mail_id, message_id, address_key, verdict, status, rule, recorded_at)
SELECT
    f.mail_id,
    coalesce(m.message_id, a.message_id),
    coalesce(m.recipient_key, a.recipient_key),
    f.verdict,
    f.status,
    f.rule,
    :now
FROM
    unnest(
        cast(:mail_ids AS bigint[]), cast(:tokens AS text[]), cast(:address_keys AS bytea[]),
        cast(:verdicts AS text[]), cast(:statuses AS text[]), cast(:rules AS text[])
    ) AS f (mail_id, token, address_key, verdict, status, rule)
INNER JOIN pii.returned_mail AS k ON f.mail_id = k.mail_id
LEFT JOIN core.message AS m ON f.token = m.token
LEFT JOIN LATERAL (
    SELECT
        r.message_id,
        r.recipient_key
    FROM core.message AS r
    WHERE
        m.message_id IS NULL
        AND r.recipient_key = f.address_key
        AND r.sent_at > k.received_at - interval '30 days'
    ORDER BY r.message_id DESC
    LIMIT 1
) AS a ON TRUE
ON CONFLICT (mail_id) DO NOTHING
