SELECT
    EXISTS (
        SELECT 1 FROM core.message AS m
        WHERE m.purpose = 'alert' AND m.ref = :ref AND m.step = :step
    ) AS is_told
