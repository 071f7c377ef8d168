DELETE FROM pii.mail_domain AS d
WHERE d.looked_up_at < :before
