-- Each stands at his addresses by now.
DELETE FROM core.suppression_event AS e
WHERE e.patron_key = :patron_key
