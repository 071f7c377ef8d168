UPDATE core.bounce SET address_key = NULL
WHERE
    address_key IS NOT NULL
    AND (
        message_id = ANY(CAST(:message_ids AS bigint[])) OR address_key = ANY(CAST(:address_keys AS bytea[]))
    )
