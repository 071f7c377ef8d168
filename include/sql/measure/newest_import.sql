-- Of which instant the newest import of a campaign's answers is.
SELECT max(i.exported_at) FROM ops.answer_import AS i
WHERE i.campaign = :campaign
