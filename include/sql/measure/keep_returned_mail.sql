INSERT INTO pii.returned_mail (mailbox, mark, content, received_at, kept_at)
VALUES (:mailbox, :mark, :content, :received_at, :now)
ON CONFLICT (mailbox, mark) DO NOTHING
