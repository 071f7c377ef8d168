"""The first schema: stage, core, mart, ops, pii, and the two roles."""

from alembic import op

revision = "0001"
down_revision = None

ROLES = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'engagement_writer') THEN
        CREATE ROLE engagement_writer NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'engagement_reader') THEN
        CREATE ROLE engagement_reader NOLOGIN;
    END IF;
END
$$;

CREATE SCHEMA stage;
CREATE SCHEMA core;
CREATE SCHEMA mart;
CREATE SCHEMA pii;
"""

OPS = """
CREATE TABLE ops.identity (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    deployment text NOT NULL
);
COMMENT ON TABLE ops.identity IS 'Whose warehouse this is; mail leaves only for its owner.';

CREATE TABLE ops.extract (
    extract_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    period text NOT NULL,
    as_of_at timestamptz NOT NULL,
    as_of_date date NOT NULL,
    state text NOT NULL CHECK (state IN ('reading', 'refused', 'accepted', 'abandoned', 'replaced')),
    source_count bigint NOT NULL,
    staged_count bigint NOT NULL DEFAULT 0,
    quarantined_count bigint NOT NULL DEFAULT 0,
    mapping_hash text NOT NULL,
    refusal text,
    started_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX extract_accepted_once ON ops.extract (period) WHERE state = 'accepted';
COMMENT ON TABLE ops.extract IS 'One reading of the source; a period has one accepted reading.';

CREATE TABLE ops.quality_result (
    extract_id integer REFERENCES ops.extract ON DELETE CASCADE,
    suite text,
    check_no integer,
    check_name text NOT NULL,
    column_name text NOT NULL,
    reason_code text NOT NULL,
    element_count bigint NOT NULL,
    unexpected_count bigint NOT NULL,
    suite_hash text NOT NULL,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (extract_id, suite, check_no)
);
COMMENT ON TABLE ops.quality_result IS 'What each expectation found in an extract.';

CREATE TABLE ops.campaign_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign text NOT NULL,
    kind text NOT NULL,
    plan_hash text,
    actor text,
    counts jsonb,
    event_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.campaign_event IS 'A campaign''s state is the fold of its events.';

CREATE TABLE ops.report (
    period text,
    edition integer,
    language text,
    subject text NOT NULL,
    html text NOT NULL,
    text text NOT NULL,
    content_hash text NOT NULL,
    rendered_at timestamptz NOT NULL,
    PRIMARY KEY (period, edition, language)
);
COMMENT ON TABLE ops.report IS 'The monthly report as it was rendered; a changed period makes an edition.';
"""

PII = """
CREATE TABLE pii.patron (
    source text,
    source_id text,
    patron_key uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (source, source_id)
);
COMMENT ON TABLE pii.patron IS 'Identity in the library system to patron_key, random and permanent.';

CREATE TABLE pii.address (
    address_key bytea PRIMARY KEY,
    address text NOT NULL
);
COMMENT ON TABLE pii.address IS 'HMAC of the normalised address to the address.';

CREATE TABLE pii.quarantine (
    extract_id integer REFERENCES ops.extract ON DELETE CASCADE,
    record_no bigint,
    reason_code text NOT NULL CHECK (reason_code IN ('undecodable', 'malformed')),
    record bytea NOT NULL,
    PRIMARY KEY (extract_id, record_no)
);
COMMENT ON TABLE pii.quarantine IS 'Source records that cannot be read, with their bytes.';
"""

STAGE = """
CREATE TABLE stage.patron (
    extract_id integer NOT NULL,
    record_no bigint NOT NULL,
    source_id text NOT NULL,
    prefix_raw text,
    given_name_raw text,
    family_name_raw text,
    patron_type_raw text,
    affiliation_raw text,
    nationality_raw text,
    email_raw text,
    membership_raw text,
    expiry_raw text,
    title text,
    given_name text,
    family_name text,
    name text,
    name_fault text,
    status text,
    status_fault text,
    affiliation text,
    affiliation_fault text,
    email text,
    email_fault text,
    membership text,
    membership_fault text,
    expiry_date date,
    group_code text,
    address_key bytea,
    same_person bytea [],
    PRIMARY KEY (extract_id, record_no)
) PARTITION BY LIST (extract_id);
COMMENT ON TABLE stage.patron IS 'Source records, raw and normalised; one physical table per extract.';

CREATE TABLE stage.rejection (
    extract_id integer NOT NULL REFERENCES ops.extract ON DELETE CASCADE,
    record_no bigint NOT NULL,
    reason_code text NOT NULL,
    PRIMARY KEY (extract_id, record_no, reason_code)
);
COMMENT ON TABLE stage.rejection IS 'What the checks found in an extract, until it is published.';
"""

CORE = """
CREATE TABLE core.reason (
    reason_code text PRIMARY KEY,
    rank integer NOT NULL UNIQUE,
    is_about_population boolean NOT NULL
);
COMMENT ON TABLE core.reason IS 'The fixed order in which a record''s first reason is found.';
INSERT INTO core.reason (reason_code, rank, is_about_population)
VALUES
('undecodable', 1, true),
('malformed', 2, true),
('objected', 3, true),
('not_current', 4, true),
('name', 5, false),
('status', 6, false),
('affiliation', 7, false),
('email', 8, false);

CREATE TABLE core.patron_group (
    group_code text PRIMARY KEY,
    rank integer NOT NULL UNIQUE
);
COMMENT ON TABLE core.patron_group IS 'The seven groups in the order of the source, and unmapped.';
INSERT INTO core.patron_group (group_code, rank)
VALUES
('staff', 1),
('undergraduate', 2),
('graduate', 3),
('international', 4),
('alumni_retired', 5),
('external', 6),
('pupil', 7),
('unmapped', 8);

CREATE TABLE core.patron_month (
    period text NOT NULL,
    patron_key uuid NOT NULL,
    record_no bigint NOT NULL,
    is_current boolean NOT NULL,
    is_real_customer boolean NOT NULL,
    group_code text NOT NULL REFERENCES core.patron_group,
    status text,
    person_key uuid NOT NULL,
    address_key bytea,
    PRIMARY KEY (period, patron_key)
) PARTITION BY LIST (period);
COMMENT ON TABLE core.patron_month IS 'Every identifiable record of a period, with its verdict.';

CREATE TABLE core.rejection (
    period text NOT NULL,
    record_no bigint NOT NULL,
    reason_code text NOT NULL,
    is_first boolean NOT NULL,
    PRIMARY KEY (period, record_no, reason_code)
) PARTITION BY LIST (period);
COMMENT ON TABLE core.rejection IS 'Why a record is no real customer; a record may have several reasons.';

CREATE TABLE core.person_link (
    period text,
    patron_key uuid,
    person_key uuid NOT NULL,
    rule_no integer NOT NULL,
    PRIMARY KEY (period, patron_key)
);
COMMENT ON TABLE core.person_link IS 'Records of one person, and the rule of the source that says so.';

CREATE TABLE core.suppression_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address_key bytea,
    person_key uuid,
    kind text NOT NULL CHECK (kind IN ('hard_bounce', 'opt_out', 'complaint', 'lifted')),
    note text,
    event_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CHECK (address_key IS NOT NULL OR person_key IS NOT NULL)
);
CREATE INDEX suppression_event_address ON core.suppression_event (address_key);
CREATE INDEX suppression_event_person ON core.suppression_event (person_key);
COMMENT ON TABLE core.suppression_event IS 'Who must not be mailed, and why; the newest event holds.';

CREATE TABLE core.invitation (
    campaign text,
    person_key uuid,
    address_key bytea NOT NULL,
    period text NOT NULL,
    stratum text NOT NULL,
    inclusion_probability double precision NOT NULL,
    seed bigint NOT NULL,
    drawn_at timestamptz NOT NULL,
    PRIMARY KEY (campaign, person_key),
    UNIQUE (campaign, address_key)
);
COMMENT ON TABLE core.invitation IS 'One sampled person of a campaign.';

CREATE TABLE core.message (
    message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose text NOT NULL,
    ref text NOT NULL,
    recipient_key bytea NOT NULL,
    step text NOT NULL,
    edition integer,
    token text NOT NULL UNIQUE,
    state text NOT NULL
    CHECK (
        state IN ('queued', 'sending', 'sent', 'caught', 'refused', 'uncertain', 'withdrawn')
    ),
    is_caught boolean NOT NULL DEFAULT false,
    attempt_count integer NOT NULL DEFAULT 0,
    worker_lock bigint,
    smtp_code integer,
    queued_at timestamptz NOT NULL,
    claimed_at timestamptz,
    sent_at timestamptz,
    UNIQUE (purpose, ref, recipient_key, step)
);
CREATE INDEX message_open ON core.message (purpose, ref) WHERE state IN ('queued', 'sending');
COMMENT ON TABLE core.message IS 'The one outbox: every mail that was, is or will be sent.';

CREATE TABLE core.loan (
    source text,
    loan_id text,
    patron_key uuid NOT NULL,
    item_id text,
    loaned_at timestamptz NOT NULL,
    due_at timestamptz,
    returned_at timestamptz,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (source, loan_id)
);
COMMENT ON TABLE core.loan IS 'One loan; late rows are allowed.';
"""

MART = """
CREATE TABLE mart.patron_funnel (
    period text PRIMARY KEY,
    extract_id integer NOT NULL,
    extracted_count bigint NOT NULL,
    current_count bigint NOT NULL,
    real_customer_count bigint NOT NULL,
    real_person_count bigint NOT NULL,
    mailable_count bigint NOT NULL,
    rejected_count bigint NOT NULL,
    as_of_at timestamptz NOT NULL,
    as_of_date date NOT NULL,
    definition_hash text NOT NULL,
    published_at timestamptz NOT NULL,
    CHECK (extracted_count = real_customer_count + rejected_count)
);
COMMENT ON TABLE mart.patron_funnel IS 'The period''s patron figures, in records (real_person_count: people).';

CREATE TABLE mart.patron_rejection (
    period text,
    reason_code text,
    record_count bigint NOT NULL,
    first_count bigint NOT NULL,
    PRIMARY KEY (period, reason_code)
);
COMMENT ON TABLE mart.patron_rejection IS 'Records rejected for a reason, and for it as the first one.';

CREATE TABLE mart.patron_group (
    period text,
    group_code text,
    extracted_count bigint NOT NULL,
    real_customer_count bigint NOT NULL,
    PRIMARY KEY (period, group_code)
);
COMMENT ON TABLE mart.patron_group IS 'Records of each group and the real customers among them.';
"""

OWNER = """
DO $$
DECLARE
    one record;
BEGIN
    BEGIN
        EXECUTE format('GRANT engagement_writer TO %I', current_user);
    EXCEPTION WHEN insufficient_privilege THEN
        IF NOT pg_has_role(current_user, 'engagement_writer', 'SET') THEN
            RAISE insufficient_privilege USING MESSAGE = format(
                'another user of this server made the role engagement_writer; let its administrator run '
                'GRANT engagement_writer, engagement_reader TO %I', current_user
            );
        END IF;
    END;
    FOR one IN SELECT nspname FROM pg_namespace
        WHERE nspname IN ('stage', 'core', 'mart', 'ops', 'pii')
    LOOP
        EXECUTE format('GRANT CREATE ON DATABASE %I TO engagement_writer', current_database());
        EXECUTE format('ALTER SCHEMA %I OWNER TO engagement_writer', one.nspname);
    END LOOP;
    FOR one IN SELECT c.oid::regclass AS name FROM pg_class AS c
        WHERE c.relnamespace::regnamespace::text IN ('stage', 'core', 'mart', 'ops', 'pii')
        AND c.relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO engagement_writer', one.name);
    END LOOP;
END
$$;
"""

GRANTS = """
GRANT USAGE ON SCHEMA core, mart, ops TO engagement_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA core, mart, ops TO engagement_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA core, mart, ops GRANT SELECT ON TABLES TO engagement_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE engagement_writer IN SCHEMA core, mart, ops GRANT SELECT ON TABLES TO engagement_reader;
"""


def upgrade() -> None:
    """Create everything that the product keeps, owned by the role that writes it."""
    for ddl in (ROLES, OPS, PII, STAGE, CORE, MART, OWNER, GRANTS):
        op.execute(ddl)
