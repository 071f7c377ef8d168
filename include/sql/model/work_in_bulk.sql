-- For this transaction: what PostgreSQL may sort and hash in memory per step, of two to five in a plan; that
-- two processes share a scan where that pays; that it compiles no plan, which never does; and that a look at
-- some thousand rows is enough to know a table by, where each is looked at once.
SELECT
    set_config('work_mem', '32MB', true),
    set_config('max_parallel_workers_per_gather', '1', true),
    set_config('parallel_tuple_cost', '0.01', true),
    set_config('jit', 'off', true),
    set_config('default_statistics_target', '25', true)
