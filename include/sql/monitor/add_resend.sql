INSERT INTO ops.report_resend (period, edition, resent_by, resent_at)
VALUES (:period, :edition, :resent_by, :resent_at)
RETURNING resend_id
