SELECT count(*) > 0 FROM ops.gate AS g
WHERE g.extract_id = :extract_id AND g.gate_code = :gate_code AND g.accepted_at IS NOT null
