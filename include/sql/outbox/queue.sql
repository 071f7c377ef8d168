-- One mail per purpose, ref, recipient and step, for ever. One that reached nobody starts again: it was
-- refused, withdrawn, given up, or caught and mail is live now.
INSERT INTO core.message AS m
(
    purpose, ref, step, recipient_key, domain_key, edition, language, has_pdf, token, state, queued_at, due_at
)
VALUES
(
    :purpose, :ref, :step, :recipient_key, :domain_key, :edition, :language, :has_pdf, :token, 'queued',
    :queued_at, :queued_at
)
ON CONFLICT (purpose, ref, recipient_key, step) DO UPDATE SET
    state = 'queued',
    edition = excluded.edition,
    language = excluded.language,
    has_pdf = excluded.has_pdf,
    smtp_code = NULL,
    smtp_status = NULL,
    attempt_count = 0,
    first_tried_at = NULL,
    queued_at = excluded.queued_at,
    due_at = excluded.due_at
WHERE m.state IN ('refused', 'given up', 'withdrawn') OR (m.state = 'caught' AND :is_live)
