SELECT k.content
FROM pii.returned_mail AS k
WHERE k.mail_id = :mail_id AND k.content != ''
