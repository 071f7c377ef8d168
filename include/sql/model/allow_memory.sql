-- For this transaction: what PostgreSQL may sort and hash in memory per step, of two to five in a plan.
SET LOCAL work_mem = '64MB'
