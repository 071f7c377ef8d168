INSERT INTO ops.quality_result
(
    extract_id, suite, check_no, check_name, column_name, reason_code,
    element_count, unexpected_count, suite_hash, checked_at
)
VALUES
(
    :extract_id, :suite, :check_no, :check_name, :column_name, :reason_code,
    :element_count, :unexpected_count, :suite_hash, :checked_at
)
