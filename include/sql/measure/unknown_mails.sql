-- What nobody has understood, as long as it is kept.
SELECT
    b.mail_id,
    k.received_at,
    b.rule
FROM core.bounce AS b
INNER JOIN pii.returned_mail AS k ON b.mail_id = k.mail_id
WHERE b.verdict = 'unknown' AND k.content != ''
ORDER BY b.mail_id
