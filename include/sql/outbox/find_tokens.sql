-- Those of the mails that the relay has had and the ledger takes for sent.
SELECT m.token
FROM core.message AS m
WHERE m.token = ANY(:tokens) AND m.state IN ('sent', 'caught')
