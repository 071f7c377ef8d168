SELECT
    m.ref AS survey,
    m.step AS which_mail,
    m.state,
    m.queued_at,
    m.sent_at,
    b.verdict AS came_back_as,
    b.rule AS read_by_rule,
    b.recorded_at AS came_back_at
FROM core.message AS m
LEFT JOIN core.bounce AS b ON m.message_id = b.message_id
WHERE m.message_id = ANY(CAST(:message_ids AS bigint[]))
ORDER BY m.message_id, b.mail_id
