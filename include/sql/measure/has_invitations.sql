SELECT count(*) > 0 AS has_invitations FROM core.invitation AS i
WHERE i.campaign = :campaign
