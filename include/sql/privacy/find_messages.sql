-- The survey mails to a person, or to an address.
SELECT
    m.message_id,
    m.token
FROM core.message AS m
WHERE
    m.purpose = 'survey'
    AND (
        m.recipient_key = ANY(CAST(:address_keys AS bytea[]))
        OR EXISTS (
            SELECT 1 FROM core.invitation AS i
            WHERE
                i.campaign = m.ref
                AND i.address_key = m.recipient_key
                AND i.person_key = ANY(CAST(:person_keys AS uuid[]))
        )
    )
