SELECT DISTINCT m.ref
FROM core.message AS m
WHERE m.purpose = 'alert' AND m.state IN ('queued', 'sending')
ORDER BY m.ref
