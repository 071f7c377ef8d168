-- The loan stays and is nobody's; one that is still out is the patron's.
UPDATE core.loan SET patron_key = NULL
WHERE patron_key IS NOT NULL AND loaned_at < :before AND returned_at IS NOT NULL AND returned_at < :before
