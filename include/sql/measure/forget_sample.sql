-- With the links that nobody was sent.
WITH forgotten AS (
    DELETE FROM core.invitation
    WHERE campaign = :campaign
)

DELETE FROM pii.survey_token
WHERE campaign = :campaign
