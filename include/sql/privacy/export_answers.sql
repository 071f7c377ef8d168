SELECT
    r.campaign AS survey,
    r.answered_at,
    r.imported_at,
    r.kind AS counts_as,
    r.language,
    r.group_code AS member_group,
    t.token AS personal_link,
    (
        SELECT jsonb_object_agg(o.question_code, o.chosen)
        FROM (
            SELECT
                a.question_code,
                array_agg(a.option_code ORDER BY a.option_code) AS chosen
            FROM core.answer AS a
            WHERE a.response_id = r.response_id
            GROUP BY a.question_code
        ) AS o
    ) AS answers,
    (
        SELECT jsonb_object_agg(w.question_code, w.answer) FROM pii.answer_text AS w
        WHERE w.response_id = r.response_id
    ) AS own_words
FROM pii.survey_token AS t
INNER JOIN pii.response_token AS g ON t.token = g.token
INNER JOIN core.response AS r ON g.response_id = r.response_id
WHERE t.person_key = any(cast(:person_keys AS uuid[]))
ORDER BY r.answered_at, r.response_id
