-- The same digest as the mail's: figures by group still find the two together.
UPDATE core.invitation SET
    person_key = CASE person_key WHEN cast(:patron_key AS uuid) THEN gen_random_uuid() ELSE person_key END,
    address_key = sha256(cast(:salt AS bytea) || convert_to(campaign, 'UTF8') || address_key)
WHERE person_key = :patron_key OR address_key = any(cast(:address_keys AS bytea[]))
