-- A list of faults that waits for the mail server says nothing any more once there is another, or none.
UPDATE core.message SET state = 'withdrawn'
WHERE
    purpose = 'work items'
    AND ref = :ref
    AND step != :step
    AND state = 'queued'
