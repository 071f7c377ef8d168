-- Every sampled person has a personal link of his own, random, the same in all mails of the campaign. It
-- begins with a letter: no spreadsheet may take it for a number.
INSERT INTO pii.survey_token (token, campaign, person_key)
SELECT
    'k' || replace(gen_random_uuid()::text, '-', ''),
    i.campaign,
    i.person_key
FROM core.invitation AS i
WHERE i.campaign = :campaign AND i.wave = :wave
ON CONFLICT (campaign, person_key) DO NOTHING
