-- For this transaction: what PostgreSQL may sort and hash in memory per step, of two to five in a plan; how many
-- processes help with a scan, and that they do where they hand over less than they read; that it compiles no plan,
-- which never pays; and that a look at some thousand rows is enough to know a table by, where each is read once.
SELECT
    set_config('work_mem', '32MB', true),
    set_config('max_parallel_workers_per_gather', cast(cast(:helpers AS integer) AS text), true),
    set_config('parallel_tuple_cost', '0.025', true),
    set_config('jit', 'off', true),
    set_config('default_statistics_target', '25', true)
