-- Whether he lies in an extract that is still kept.
SELECT EXISTS(
    SELECT 1 FROM stage.patron AS p
    WHERE p.source_id = :source_id
)
