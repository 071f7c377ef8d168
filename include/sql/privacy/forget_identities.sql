-- Whom nothing refers to any more. Who said no is kept: he may come back with the same id.
DELETE FROM pii.patron AS k
WHERE
    NOT EXISTS (
        SELECT 1 FROM core.patron_month AS m
        WHERE m.patron_key = k.patron_key
    )
    AND NOT EXISTS (
        SELECT 1 FROM core.loan AS l
        WHERE l.patron_key = k.patron_key
    )
    AND NOT EXISTS (
        SELECT 1 FROM stage.patron AS p
        WHERE p.source_id = k.source_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM core.suppression AS s
        WHERE s.patron_key = k.patron_key
    )
    AND NOT EXISTS (
        SELECT 1 FROM pii.survey_token AS t
        WHERE t.person_key = k.patron_key
    )
