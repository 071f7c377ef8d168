UPDATE ops.mail_stop SET
    started_at = :now,
    started_by = :by
WHERE started_at IS NULL
