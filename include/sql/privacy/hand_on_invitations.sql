UPDATE core.invitation AS n SET person_key = :heir_key
WHERE
    n.person_key = :patron_key
    AND NOT EXISTS (
        SELECT 1 FROM core.invitation AS i
        WHERE i.campaign = n.campaign AND i.person_key = :heir_key
    )
