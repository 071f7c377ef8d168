-- What was accepted is what the sentence says: the same gate may close again for other figures.
SELECT count(*) > 0 FROM ops.gate AS g
WHERE g.extract_id = :extract_id AND g.sentence = :sentence AND g.accepted_at IS NOT null
