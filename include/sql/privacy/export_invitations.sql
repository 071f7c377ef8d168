SELECT
    i.campaign AS survey,
    i.drawn_at,
    i.group_code AS member_group,
    i.inclusion_probability AS chance_of_being_drawn,
    i.wave,
    i.language,
    t.token AS personal_link,
    a.address AS email_address
FROM core.invitation AS i
LEFT JOIN pii.survey_token AS t ON i.campaign = t.campaign AND i.person_key = t.person_key
LEFT JOIN pii.address AS a ON i.address_key = a.address_key
WHERE i.person_key = ANY(CAST(:person_keys AS uuid[]))
ORDER BY i.drawn_at, i.campaign
