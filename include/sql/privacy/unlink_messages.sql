-- The mail was sent and is counted, but to whom nobody can tell any more: the salt is thrown away. What still
-- waits is not sent.
UPDATE core.message SET
    recipient_key = sha256(cast(:salt AS bytea) || convert_to(ref, 'UTF8') || recipient_key),
    domain_key = NULL,
    state = CASE state WHEN 'queued' THEN 'withdrawn' ELSE state END,
    withdrawn_for = CASE state WHEN 'queued' THEN 'erased' ELSE withdrawn_for END
WHERE message_id = any(cast(:message_ids AS bigint[]))
