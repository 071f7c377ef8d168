-- Whoever reads a part of an extract keeps it from being finished until then.
SELECT e.state FROM ops.extract AS e
WHERE e.extract_id = :extract_id
FOR SHARE
