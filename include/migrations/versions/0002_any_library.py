"""Extracts in shards, gates that a person can accept, the funnel by combination, loans by month."""

from alembic import op

revision = "0002"
down_revision = "0001"

OPS = """
ALTER TABLE ops.extract
ADD COLUMN shard_count integer NOT NULL DEFAULT 1,
ADD COLUMN columns jsonb,
ADD COLUMN reread_reason text,
ADD COLUMN reread_by text;

CREATE TABLE ops.extract_shard (
    extract_id integer REFERENCES ops.extract ON DELETE CASCADE,
    shard integer,
    source_count bigint NOT NULL,
    whole_count bigint NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (extract_id, shard)
);
COMMENT ON TABLE ops.extract_shard IS
'A part of an extract that was read whole, and the source''s count of it and of all parts, taken with it.';

CREATE TABLE ops.gate (
    extract_id integer REFERENCES ops.extract ON DELETE CASCADE,
    gate_code text,
    sentence text NOT NULL,
    closed_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by text,
    accept_reason text,
    PRIMARY KEY (extract_id, gate_code)
);
COMMENT ON TABLE ops.gate IS 'What stopped an extract, and who accepted it all the same, and why.';

CREATE TABLE ops.loan_reading (
    source text,
    period text,
    since_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    read_count bigint NOT NULL,
    new_count bigint NOT NULL,
    changed_count bigint NOT NULL,
    late_count bigint NOT NULL,
    misdated_count bigint NOT NULL,
    unusable_count bigint NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (source, period)
);
COMMENT ON TABLE ops.loan_reading IS 'The last reading of a period''s loans: its span, and what it found.';
"""

PII = """
CREATE TABLE pii.mail_domain (
    domain text PRIMARY KEY,
    takes_mail boolean NOT NULL,
    looked_up_at timestamptz NOT NULL
);
-- At random keys its upkeep costs as much as all else that is written of a new patron; nobody looks for one by
-- it, and that keys are unique shows in the key of each period's part of core.patron_month.
ALTER TABLE pii.patron DROP CONSTRAINT patron_patron_key_key;
COMMENT ON TABLE pii.mail_domain IS 'Whether a mail domain takes mail, as the DNS said.';
"""

# What was staged is read again from the source, if at all; what publishing reads stands in front: to reach
# a column PostgreSQL walks over all those before it.
STAGE = """
DROP TABLE stage.patron;
CREATE TABLE stage.patron (
    extract_id integer NOT NULL,
    record_no bigint NOT NULL,
    source_id text NOT NULL,
    same_person bigint [],
    address_key bytea,
    group_code text,
    contradiction text,
    name text,
    family_name text,
    email_suggestion text,
    email text,
    status text,
    affiliation text,
    membership text,
    name_fault text,
    status_fault text,
    affiliation_fault text,
    email_fault text,
    membership_fault text,
    expiry_date date,
    title text,
    given_name text,
    prefix_raw text,
    given_name_raw text,
    family_name_raw text,
    full_name_raw text,
    patron_type_raw text,
    affiliation_raw text,
    nationality_raw text,
    email_raw text,
    membership_raw text,
    expiry_raw text,
    PRIMARY KEY (extract_id, record_no)
) PARTITION BY LIST (extract_id);
COMMENT ON TABLE stage.patron IS 'Source records, raw and normalised; one physical table per extract.';

DROP TABLE stage.rejection;
CREATE TABLE stage.rejection (
    extract_id integer,
    check_no integer,
    record_no bigint,
    reason_code text
) PARTITION BY LIST (extract_id);
COMMENT ON TABLE stage.rejection IS 'What each check found in an extract, until it is published.';
"""

CORE = """
ALTER TABLE core.loan ALTER COLUMN patron_key DROP NOT NULL;
ALTER TABLE core.loan RENAME COLUMN recorded_at TO as_of_at;
CREATE INDEX loan_loaned ON core.loan (loaned_at);
-- Checked row by row it costs more than all else that publishing does; the groups' totals are checked instead.
ALTER TABLE core.patron_month DROP CONSTRAINT patron_month_group_code_fkey, DROP COLUMN status;
COMMENT ON TABLE core.patron_month IS
'Every identifiable record of a period, with its verdict; key of each period''s part: patron_key.';
COMMENT ON TABLE core.rejection IS
'Why a record is no real customer; key of each period''s part: record_no, reason_code.';
-- Each period's part has a key of its own, which is built after its rows are written.
ALTER TABLE core.patron_month DROP CONSTRAINT patron_month_pkey;
ALTER TABLE core.rejection DROP CONSTRAINT rejection_pkey;
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT i.inhrelid::regclass AS name, c.relname AS bare, i.inhparent::regclass::text AS whole
        FROM pg_inherits AS i INNER JOIN pg_class AS c ON i.inhrelid = c.oid
        WHERE i.inhparent IN ('core.patron_month'::regclass, 'core.rejection'::regclass)
    LOOP
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY (%s)', part.name, part.bare || '_key',
            CASE part.whole WHEN 'core.rejection' THEN 'record_no, reason_code' ELSE 'patron_key' END
        );
    END LOOP;
END
$$;
"""

MART = """
ALTER TABLE mart.patron_funnel
ADD COLUMN mapping_hash text,
ADD COLUMN suite_hash text;

CREATE TABLE mart.patron_rejection_set (
    period text,
    reason_codes text [],
    record_count bigint NOT NULL,
    PRIMARY KEY (period, reason_codes)
);
COMMENT ON TABLE mart.patron_rejection_set IS 'Rejected records by the combination of all their reasons.';

CREATE TABLE mart.patron_group_rejection (
    period text,
    group_code text,
    reason_code text,
    record_count bigint NOT NULL,
    first_count bigint NOT NULL,
    PRIMARY KEY (period, group_code, reason_code)
);
COMMENT ON TABLE mart.patron_group_rejection IS 'Rejected records of each group, by reason.';

CREATE TABLE mart.patron_notice (
    period text,
    notice_code text,
    record_count bigint NOT NULL,
    PRIMARY KEY (period, notice_code)
);
COMMENT ON TABLE mart.patron_notice IS 'Records that deserve a look, whatever their verdict.';

CREATE TABLE mart.loan_month (
    period text PRIMARY KEY,
    loan_count bigint NOT NULL,
    anonymous_count bigint NOT NULL,
    borrower_count bigint NOT NULL,
    counted_at timestamptz NOT NULL
);
COMMENT ON TABLE mart.loan_month IS 'Loans that began in a period, and how many patrons borrowed.';
"""

OWNER = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT c.oid::regclass AS name FROM pg_class AS c
        WHERE c.relnamespace::regnamespace::text IN ('stage', 'core', 'mart', 'ops', 'pii')
        AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) != 'engagement_writer'
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO engagement_writer', one.name);
    END LOOP;
END
$$;
GRANT SELECT ON ALL TABLES IN SCHEMA core, mart, ops TO engagement_reader;
"""


def upgrade() -> None:
    """Add what a library relies on beyond the first month."""
    for ddl in (OPS, PII, STAGE, CORE, MART, OWNER):
        op.execute(ddl)
