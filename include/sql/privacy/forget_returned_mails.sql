-- The row stays: it keeps the mail, which may still lie in the mailbox, from being read again.
UPDATE pii.returned_mail SET content = ''
WHERE content != '' AND kept_at < :before
