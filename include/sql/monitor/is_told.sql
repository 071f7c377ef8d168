SELECT count(*) > 0 AS is_told
FROM core.message AS m
WHERE m.purpose = 'alert' AND m.ref = :ref AND m.step = :step
