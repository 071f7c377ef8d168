-- The links of a person who has other records are theirs.
UPDATE pii.survey_token AS t SET person_key = :heir_key
WHERE
    t.person_key = :patron_key
    AND NOT EXISTS (
        SELECT 1 FROM core.invitation AS i
        WHERE i.campaign = t.campaign AND i.person_key = :heir_key
    )
