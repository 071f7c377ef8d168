-- For this transaction: what PostgreSQL may sort and hash in memory per step, of two to five in a plan; how
-- many processes help with a scan, which they do where they hand over less than they read; that no plan is
-- compiled, which never pays; and that some thousand rows are enough to know a table by that is read once.
SELECT
    set_config('work_mem', '32MB', true),
    set_config('max_parallel_workers_per_gather', cast(cast(:helpers AS integer) AS text), true),
    set_config('parallel_tuple_cost', '0.025', true),
    set_config('jit', 'off', true),
    set_config('default_statistics_target', '25', true)
