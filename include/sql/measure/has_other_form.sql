SELECT EXISTS(
    SELECT 1 FROM core.response AS r
    WHERE r.campaign = :campaign AND r.form_hash != :form_hash
)
