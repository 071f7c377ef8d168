-- Waits for those who still read a part of it.
SELECT e.state FROM ops.extract AS e
WHERE e.extract_id = :extract_id
FOR UPDATE
