UPDATE core.suppression_event SET patron_key = :heir_key
WHERE patron_key = :patron_key
