INSERT INTO ops.gate (extract_id, gate_code, sentence, closed_at)
VALUES (:extract_id, :gate_code, :sentence, :closed_at)
