-- A mailbox that was moved numbers its mails anew: what is there already is known by its content, also after
-- that was emptied. A server's clock may be ahead of ours.
INSERT INTO pii.returned_mail (mailbox, mark, content, content_hash, copy_of, received_at, kept_at)
SELECT
    :mailbox,
    :mark,
    CASE WHEN f.mail_id IS NULL THEN CAST(:content AS bytea) ELSE '' END,
    CAST(:content_hash AS bytea),
    f.mail_id,
    LEAST(CAST(:received_at AS timestamptz), CAST(:now AS timestamptz)),
    :now
FROM (
    SELECT MIN(k.mail_id) AS mail_id FROM pii.returned_mail AS k
    WHERE k.mailbox = :mailbox AND k.content_hash = CAST(:content_hash AS bytea)
) AS f
ON CONFLICT (mailbox, mark) DO NOTHING
RETURNING copy_of IS NULL AS is_new
