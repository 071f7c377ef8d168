WITH said AS (
    SELECT
        a.question_code,
        a.option_code,
        a.response_id,
        r.form_hash
    FROM core.response AS r
    INNER JOIN core.answer AS a ON r.response_id = a.response_id
    WHERE r.campaign = :campaign AND r.kind = 'counted'
),

-- Where several options may be ticked, they do not sum to it.
answered AS (
    SELECT
        s.question_code,
        count(DISTINCT s.response_id) AS answered_count
    FROM said AS s
    GROUP BY s.question_code
)

INSERT INTO mart.campaign_answer
(campaign, question_code, option_code, response_count, answered_count, form_hash, counted_at)
SELECT
    :campaign,
    s.question_code,
    s.option_code,
    count(*),
    a.answered_count,
    s.form_hash,
    cast(:now AS timestamptz)
FROM said AS s
INNER JOIN answered AS a ON s.question_code = a.question_code
GROUP BY s.question_code, s.option_code, a.answered_count, s.form_hash
