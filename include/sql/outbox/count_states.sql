SELECT
    m.state,
    count(*) AS message_count,
    min(m.message_id) AS first_id,
    max(m.smtp_code) AS smtp_code
FROM core.message AS m
WHERE m.purpose = :purpose AND m.ref = :ref
GROUP BY m.state
