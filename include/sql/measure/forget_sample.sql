DELETE FROM core.invitation
WHERE campaign = :campaign
