-- Who shares a mark with whom, while a period is being published.
CREATE UNLOGGED TABLE stage.member (record_no bigint, mark bigint, rule_no integer)
