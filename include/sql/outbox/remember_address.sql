INSERT INTO pii.address (address_key, address)
VALUES (:address_key, :address)
ON CONFLICT DO NOTHING
