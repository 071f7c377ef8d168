-- Whose link was clicked; two clicks at once follow each other.
SELECT m.message_id
FROM core.message AS m
WHERE m.token = :token
FOR UPDATE
