SELECT EXISTS(
    SELECT 1 FROM ops.answer_import AS i
    WHERE i.campaign = :campaign AND i.file_hash = :file_hash
)
