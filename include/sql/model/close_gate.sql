INSERT INTO ops.gate (extract_id, gate_code, sentence, closed_at)
VALUES (:extract_id, :gate_code, :sentence, :closed_at)
ON CONFLICT (extract_id, gate_code) DO UPDATE
    SET sentence = excluded.sentence
    WHERE gate.accepted_at IS NULL
