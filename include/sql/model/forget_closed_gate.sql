-- One that a person has accepted stays: it says so.
DELETE FROM ops.gate
WHERE extract_id = :extract_id AND gate_code = :gate_code AND accepted_at IS NULL
