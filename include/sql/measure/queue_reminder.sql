-- Only to whom the invitation reached and who has not answered; the claim looks again.
INSERT INTO core.message
(purpose, ref, step, recipient_key, domain_key, token, state, queued_at, due_at)
SELECT
    'survey',
    i.campaign,
    :step,
    i.address_key,
    m.domain_key,
    replace(gen_random_uuid()::text, '-', ''),
    'queued',
    :now AS queued_at,
    :now AS due_at
FROM core.invitation AS i
INNER JOIN core.message AS m
    ON m.purpose = 'survey' AND i.campaign = m.ref AND i.address_key = m.recipient_key AND m.step = 'invite'
INNER JOIN pii.survey_token AS t ON i.campaign = t.campaign AND i.person_key = t.person_key
WHERE
    i.campaign = :campaign
    AND m.state = 'sent'
    AND NOT EXISTS (
        SELECT 1 FROM pii.response_token AS r
        WHERE r.token = t.token
    )
    AND NOT EXISTS (
        SELECT 1 FROM core.bounce AS b
        WHERE b.message_id = m.message_id AND b.verdict IN ('hard', 'soft')
    )
ORDER BY i.address_key
ON CONFLICT (purpose, ref, recipient_key, step) DO NOTHING
