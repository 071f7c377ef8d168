-- Whether a mail's recipient said no through it; what a person has lifted since stays lifted.
SELECT count(*) > 0 AS has_opted_out
FROM core.suppression_event AS e
WHERE e.message_id = :message_id AND e.kind = 'opt_out'
