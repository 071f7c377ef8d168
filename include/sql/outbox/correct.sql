-- What is wanted changed while the mail waited. The edition stays once it was tried.
UPDATE core.message SET
    language = :language,
    has_pdf = :has_pdf,
    edition = CASE WHEN first_tried_at IS NULL THEN :edition ELSE edition END
WHERE
    purpose = :purpose
    AND ref = :ref
    AND step = :step
    AND recipient_key = :recipient_key
    AND state = 'queued'
