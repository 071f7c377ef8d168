UPDATE ops.extract SET state = 'replaced'
WHERE period = :period AND state = 'accepted'
