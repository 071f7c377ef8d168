SELECT count(*) FROM core.message AS m
WHERE m.purpose = 'survey' AND m.ref = :campaign AND m.step LIKE 'reminder-%' AND m.state = 'queued'
