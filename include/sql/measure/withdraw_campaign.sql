UPDATE core.message SET
    state = 'withdrawn',
    withdrawn_for = 'closed'
WHERE purpose IN ('survey', 'canary') AND ref = :campaign AND state = 'queued'
