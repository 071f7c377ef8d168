INSERT INTO pii.mail_domain (domain, takes_mail, looked_up_at)
VALUES (:domain, :takes_mail, :now)
ON CONFLICT (domain) DO UPDATE
    SET
        takes_mail = excluded.takes_mail,
        looked_up_at = excluded.looked_up_at
