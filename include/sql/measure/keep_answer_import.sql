INSERT INTO ops.answer_import
(campaign, file_hash, row_count, new_count, unusable_count, exported_at, imported_at)
VALUES (:campaign, :file_hash, :row_count, :new_count, :unusable_count, :exported_at, :now)
