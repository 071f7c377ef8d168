"""The report: who reads which edition, what it said as figures, when it went out, what librarians file for it."""

from alembic import op

revision = "0006"
down_revision = "0005"

CORE = """
ALTER TABLE core.message
ADD COLUMN language text CHECK (language IN ('th', 'en')),
ADD COLUMN has_pdf boolean NOT NULL DEFAULT false;
GRANT SELECT (language, has_pdf) ON core.message TO engagement_reader;
"""

REPORT = """
ALTER TABLE ops.report RENAME COLUMN rendered_at TO cut_at;
ALTER TABLE ops.report
ADD COLUMN run text NOT NULL DEFAULT '',
ADD COLUMN chart bytea,
ADD COLUMN pdf bytea;
COMMENT ON TABLE ops.report IS
'The monthly report as it was rendered, from figures cut at an instant; what says something else makes an edition.';

CREATE TABLE ops.report_figure (
    period text,
    edition integer,
    figure_no integer,
    name text NOT NULL,
    about text NOT NULL,
    unit text NOT NULL CHECK (unit IN ('records', 'people', 'responses', 'loans', 'share')),
    value double precision NOT NULL,
    base double precision,
    low double precision,
    high double precision,
    source text NOT NULL,
    PRIMARY KEY (period, edition, figure_no),
    UNIQUE (period, edition, name, about)
);
COMMENT ON TABLE ops.report_figure IS
'What an edition of the report said, figure by figure: of a period or campaign, with base and interval, read by source.';

CREATE TABLE ops.report_release (
    period text PRIMARY KEY,
    edition integer NOT NULL,
    released_by text,
    released_at timestamptz NOT NULL,
    reason text
);
COMMENT ON TABLE ops.report_release IS
'Which edition of a period''s report was let go to its recipients, when, and by whom and why where it was a person.';

CREATE TABLE pii.alert_address (
    address text PRIMARY KEY
);
COMMENT ON TABLE pii.alert_address IS
'Engineers and owner as the report''s file named them when it was last right: who is told that it is wrong now.';

CREATE TABLE ops.report_resend (
    resend_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period text NOT NULL,
    edition integer NOT NULL,
    resent_by text NOT NULL,
    resent_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.report_resend IS
'When a person had the report mailed to one of its recipients once more; the mail is the step of that number, or the one before that had not reached him.';

-- A mail at the catch-all address has reached nobody; one that was refused keeps the report from no other reader.
CREATE VIEW ops.report_mailing AS
SELECT
    e.period,
    e.edition,
    e.released_by,
    min(m.sent_at) FILTER (WHERE m.state = 'sent') AS first_sent_at,
    count(*) FILTER (WHERE m.state IN ('queued', 'sending')) AS waiting_count,
    count(*) FILTER (WHERE m.state = 'caught') AS caught_count,
    count(*) FILTER (WHERE m.state = 'sent') > 0
    AND count(*) FILTER (WHERE m.state IN ('queued', 'sending', 'caught')) = 0 AS is_out
FROM ops.report_release AS e
LEFT JOIN core.message AS m ON m.purpose = 'report' AND e.period = m.ref AND m.step = 'report-v1'
GROUP BY e.period, e.edition, e.released_by;
COMMENT ON VIEW ops.report_mailing IS
'How far the mails of a report that was let go are: it is out once a reader has it and none waits for it.';

-- What went out before editions were let go was let go all the same.
INSERT INTO ops.report_release (period, edition, released_at)
SELECT ref, min(edition), min(sent_at)
FROM core.message
WHERE purpose = 'report' AND edition IS NOT NULL AND sent_at IS NOT NULL
GROUP BY ref;
"""

WORK_ITEMS = """
CREATE TABLE ops.work_file (
    file text PRIMARY KEY,
    items jsonb NOT NULL,
    read_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.work_file IS
'A list of work that librarians keep, as it was last read without fault: shown while it cannot be read.';

CREATE TABLE ops.work_item_filed (
    item_id text PRIMARY KEY,
    first_filed_date date NOT NULL,
    last_filed_date date NOT NULL,
    is_decided boolean NOT NULL
);
COMMENT ON TABLE ops.work_item_filed IS
'A piece of work for which a decision was wanted: on which day that was first read, on which last, whether it was taken then.';

CREATE TABLE ops.work_notice (
    period text PRIMARY KEY,
    notice_no integer NOT NULL,
    told text[] NOT NULL
);
COMMENT ON TABLE ops.work_notice IS
'How many mails told who keeps the lists what is wrong in them for a period, and hashes of what the last one told.';

ALTER TABLE ops.work_file OWNER TO engagement_writer;
ALTER TABLE ops.work_item_filed OWNER TO engagement_writer;
ALTER TABLE ops.work_notice OWNER TO engagement_writer;
GRANT SELECT ON ops.work_file, ops.work_item_filed, ops.work_notice TO engagement_reader;
"""

# What is counted of a campaign is counted again only while its people are known: what is there gets the new columns.
MART = """
ALTER TABLE mart.campaign_answer ADD COLUMN answered_count bigint, ADD COLUMN form_hash text;
UPDATE mart.campaign_answer AS m SET answered_count = s.answered_count, form_hash = s.form_hash
FROM (
    SELECT
        r.campaign,
        a.question_code,
        count(DISTINCT a.response_id) AS answered_count,
        max(r.form_hash) AS form_hash
    FROM core.response AS r
    INNER JOIN core.answer AS a ON r.response_id = a.response_id
    WHERE r.kind = 'counted'
    GROUP BY r.campaign, a.question_code
) AS s
WHERE m.campaign = s.campaign AND m.question_code = s.question_code;
DELETE FROM mart.campaign_answer WHERE answered_count IS NULL;
ALTER TABLE mart.campaign_answer
ALTER COLUMN answered_count SET NOT NULL,
ALTER COLUMN form_hash SET NOT NULL;
COMMENT ON TABLE mart.campaign_answer IS
'How many counted responses of a campaign chose an option, of how many that answered the question of a form.';
"""

OWNER = """
ALTER TABLE ops.report_figure OWNER TO engagement_writer;
ALTER TABLE ops.report_release OWNER TO engagement_writer;
ALTER TABLE pii.alert_address OWNER TO engagement_writer;
ALTER VIEW ops.report_mailing OWNER TO engagement_writer;
ALTER TABLE ops.report_resend OWNER TO engagement_writer;
GRANT SELECT ON ops.report_figure, ops.report_release, ops.report_mailing, ops.report_resend TO engagement_reader;
"""


def upgrade() -> None:
    """Add what the report needs beyond its text."""
    for ddl in (CORE, REPORT, WORK_ITEMS, MART, OWNER):
        op.execute(ddl)
