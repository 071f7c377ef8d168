-- A domain in which nobody else has an address may name a family.
DELETE FROM pii.mail_domain AS d
WHERE
    d.domain = ANY(CAST(:domains AS text[]))
    AND NOT EXISTS (
        SELECT 1 FROM pii.address AS a
        WHERE SPLIT_PART(a.address, '@', 2) = d.domain
    )
