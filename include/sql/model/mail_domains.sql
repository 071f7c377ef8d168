SELECT
    d.domain,
    d.takes_mail
FROM pii.mail_domain AS d
WHERE d.domain = any(:domains) AND d.looked_up_at >= :since_at
