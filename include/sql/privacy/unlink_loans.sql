UPDATE core.loan SET patron_key = NULL
WHERE patron_key = :patron_key
