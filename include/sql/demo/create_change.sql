-- Where the changed records of members lie for the length of the transaction.
CREATE TEMPORARY TABLE change (LIKE autolib.member INCLUDING IDENTITY) ON COMMIT DROP
