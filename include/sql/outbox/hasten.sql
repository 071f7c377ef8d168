-- Somebody asks for them now: what was to be tried again later need not wait any longer.
UPDATE core.message SET due_at = :now
WHERE purpose = :purpose AND ref = :ref AND state = 'queued' AND due_at > :now
