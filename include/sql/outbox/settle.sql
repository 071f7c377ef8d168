UPDATE core.message SET state = :state
WHERE message_id = :message_id AND state = 'uncertain'
