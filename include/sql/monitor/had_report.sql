SELECT m.recipient_key
FROM core.message AS m
WHERE m.purpose = 'report' AND m.ref = :period AND m.state = 'sent'
