-- A stratified random sample: in each group those whom the seed puts first. Its waves are random parts of
-- the whole sample, so that the first one tells about the rest. Each person has a personal link of his own,
-- random, the same in all mails of the campaign. It is made with the plan: a backup of the plan knows every
-- link that is mailed by it. It begins with a letter: no spreadsheet may take it for a number.
WITH drawn AS (
    INSERT INTO core.invitation
    (
        campaign, person_key, address_key, period, group_code, inclusion_probability, seed, wave, language,
        drawn_at
    )
    SELECT
        :campaign,
        d.person_key,
        d.address_key,
        :period,
        d.group_code,
        d.quota::double precision / d.group_count / d.sharing_count,
        :seed,
        1 + width_bucket(
            row_number() OVER (ORDER BY md5(:seed || ' wave ' || d.person_key)),
            cast(:wave_starts AS bigint[])
        ),
        d.language,
        :now
    FROM (
        SELECT
            f.person_key,
            f.address_key,
            f.group_code,
            f.sharing_count,
            q.quota,
            q.language,
            row_number()
                OVER (PARTITION BY f.group_code ORDER BY md5(:seed || ' person ' || f.person_key))
                AS place,
            count(*) OVER (PARTITION BY f.group_code) AS group_count
        FROM stage.frame AS f
        INNER JOIN unnest(
            cast(:groups AS text[]), cast(:quotas AS integer[]), cast(:languages AS text[])
        ) AS q (group_code, quota, language) ON f.group_code = q.group_code
        WHERE f.left_out_for IS NULL
    ) AS d
    WHERE d.place <= d.quota
    RETURNING campaign, person_key
)

INSERT INTO pii.survey_token (token, campaign, person_key)
SELECT
    'k' || replace(gen_random_uuid()::text, '-', ''),
    d.campaign,
    d.person_key
FROM drawn AS d
