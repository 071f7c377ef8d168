-- Of an earlier reminder, when the next one comes: nobody gets both at once.
UPDATE core.message SET
    state = 'withdrawn',
    withdrawn_for = 'next reminder'
WHERE purpose = 'survey' AND ref = :campaign AND step LIKE 'reminder-%' AND state = 'queued'
