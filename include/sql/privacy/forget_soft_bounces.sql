DELETE FROM core.suppression_event AS e
WHERE e.kind = 'soft_bounce' AND e.event_at < :before
