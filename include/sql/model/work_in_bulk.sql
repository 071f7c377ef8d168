-- For this transaction: what PostgreSQL may sort and hash in memory per step, of two to five in a plan; that
-- it shares a scan over two processors where that pays; and that it compiles no plan, which never does.
SELECT
    set_config('work_mem', '32MB', true),
    set_config('parallel_tuple_cost', '0.01', true),
    set_config('jit', 'off', true)
