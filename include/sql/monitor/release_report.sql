-- The first release of a period is the one that mails by itself; a later one changes nothing.
INSERT INTO ops.report_release (period, edition, released_by, released_at, reason)
VALUES (:period, :edition, :released_by, :released_at, :reason)
ON CONFLICT (period) DO NOTHING
