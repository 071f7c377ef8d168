-- The first deployment to set a warehouse up owns it; nobody else may mail from it.
INSERT INTO ops.identity (deployment)
SELECT :deployment
WHERE NOT EXISTS (SELECT 1 FROM ops.identity)
