SELECT
    p.campaign,
    p.mail_count,
    p.hard_count,
    p.paused_at,
    (
        SELECT min(split_part(a.address, '@', 2))
        FROM core.message AS m
        INNER JOIN pii.address AS a ON m.recipient_key = a.address_key
        WHERE m.domain_key = p.domain_key
    ) AS mail_domain
FROM ops.domain_pause AS p
WHERE p.ended_at IS null
ORDER BY p.pause_id
