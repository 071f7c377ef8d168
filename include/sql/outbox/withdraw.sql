-- What still waits for somebody who is no longer among the recipients must not go out.
UPDATE core.message SET state = 'withdrawn'
WHERE
    purpose = :purpose
    AND ref = :ref
    AND step = :step
    AND state = 'queued'
    AND recipient_key != ALL(:recipient_keys)
