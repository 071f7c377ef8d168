"""Campaigns: plans, invitations in waves, one outbox with a rate, what comes back, who is left in peace."""

from alembic import op

revision = "0004"
down_revision = "0003"

OPS = """
ALTER TABLE ops.identity
ADD COLUMN place text,
ADD COLUMN dispatch_count bigint NOT NULL DEFAULT 0;

ALTER TABLE ops.campaign_event ADD COLUMN note text;
CREATE INDEX campaign_event_campaign ON ops.campaign_event (campaign, event_id);

CREATE TABLE ops.mail_stop (
    stopped_at timestamptz PRIMARY KEY,
    stopped_by text NOT NULL,
    reason text NOT NULL,
    started_at timestamptz,
    started_by text
);
COMMENT ON TABLE ops.mail_stop IS 'When all mail was stopped, by whom and why, and who let it go on.';

CREATE TABLE ops.mailbox_reading (
    mailbox text PRIMARY KEY,
    new_count integer NOT NULL,
    read_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.mailbox_reading IS 'When a mailbox was last read to its end, and what was new in it.';

CREATE TABLE ops.domain_pause (
    pause_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain_key bytea NOT NULL,
    campaign text NOT NULL,
    mail_count bigint NOT NULL,
    hard_count bigint NOT NULL,
    paused_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    is_dead boolean,
    reason text
);
CREATE UNIQUE INDEX domain_pause_open ON ops.domain_pause (domain_key) WHERE ended_at IS NULL;
COMMENT ON TABLE ops.domain_pause IS
'A mail domain (HMAC of its name) whose hard bounces jumped, and what a person found out.';

CREATE UNLOGGED TABLE ops.mail_bucket (
    bucket_key bytea PRIMARY KEY,
    next_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.mail_bucket IS
'When the next mail may go out: to a domain (HMAC of its name), and at all (an empty key).';

CREATE TABLE ops.answer_import (
    import_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign text NOT NULL,
    file_hash text NOT NULL,
    row_count integer NOT NULL,
    new_count integer NOT NULL,
    unusable_count integer NOT NULL,
    exported_at timestamptz,
    imported_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.answer_import IS 'When answers were brought in, of which instant, and how many.';
"""

# A suppression holds until a later event lifts that very one. Opt-outs and complaints stand at every record of
# the person: who is the first of them may change.
CORE = """
ALTER TABLE core.suppression_event RENAME COLUMN person_key TO patron_key;
ALTER TABLE core.suppression_event DROP CONSTRAINT suppression_event_kind_check;
ALTER TABLE core.suppression_event
ADD CONSTRAINT suppression_event_kind_check CHECK (
    kind IN ('hard_bounce', 'soft_bounce', 'soft_bounces', 'opt_out', 'complaint', 'lifted')
),
ADD COLUMN lifts_event_id bigint REFERENCES core.suppression_event,
ADD COLUMN is_provisional boolean NOT NULL DEFAULT false,
ADD COLUMN message_id bigint,
ADD CHECK ((kind = 'lifted') = (lifts_event_id IS NOT NULL));
CREATE INDEX suppression_event_lifts ON core.suppression_event (lifts_event_id);
CREATE INDEX suppression_event_message ON core.suppression_event (message_id);

CREATE VIEW core.suppression AS
SELECT
    e.event_id,
    e.address_key,
    e.patron_key,
    e.kind,
    e.is_provisional,
    e.event_at
FROM core.suppression_event AS e
WHERE
    e.kind NOT IN ('soft_bounce', 'lifted')
    AND NOT EXISTS (SELECT 1 FROM core.suppression_event AS l WHERE l.lifts_event_id = e.event_id);
COMMENT ON VIEW core.suppression IS 'Who must not be mailed: events that nobody has lifted.';

-- A person is asked at the first address that takes mail, in the order of the groups.
CREATE VIEW core.mailable_person AS
SELECT DISTINCT ON (m.period, m.person_key)
    m.period,
    m.person_key,
    m.patron_key,
    m.address_key,
    m.group_code
FROM core.patron_month AS m
INNER JOIN core.patron_group AS g ON m.group_code = g.group_code
WHERE
    m.is_real_customer
    AND NOT EXISTS (SELECT 1 FROM core.suppression AS s WHERE s.address_key = m.address_key)
    AND NOT EXISTS (
        SELECT 1
        FROM core.patron_month AS other
        INNER JOIN core.suppression AS s ON other.patron_key = s.patron_key
        WHERE other.period = m.period AND other.person_key = m.person_key
    )
ORDER BY m.period, m.person_key, g.rank, m.record_no;
COMMENT ON VIEW core.mailable_person IS
'Real customers of a period, by person, whose address is not suppressed and who did not object.';

ALTER TABLE core.invitation
ADD COLUMN wave integer NOT NULL,
ADD COLUMN language text NOT NULL CHECK (language IN ('th', 'en'));
ALTER TABLE core.invitation RENAME COLUMN stratum TO group_code;
CREATE INDEX invitation_person ON core.invitation (person_key);

ALTER TABLE core.message DROP CONSTRAINT message_state_check;
ALTER TABLE core.message
ADD CONSTRAINT message_state_check CHECK (
    state IN (
        'queued', 'sending', 'sent', 'caught', 'refused', 'given up', 'uncertain', 'withdrawn'
    )
),
ADD COLUMN due_at timestamptz,
ADD COLUMN first_tried_at timestamptz,
ADD COLUMN domain_key bytea,
ADD COLUMN smtp_status text,
ADD COLUMN is_hard_refusal boolean NOT NULL DEFAULT false,
ADD COLUMN withdrawn_for text;
UPDATE core.message SET due_at = queued_at;
ALTER TABLE core.message ALTER COLUMN due_at SET NOT NULL;
DROP INDEX core.message_open;
CREATE INDEX message_queued ON core.message (purpose, ref, due_at, message_id) WHERE state = 'queued';
CREATE INDEX message_sending ON core.message (message_id) WHERE state IN ('sending', 'uncertain');
CREATE INDEX message_recipient ON core.message (recipient_key);

CREATE VIEW core.sendable_message AS
SELECT
    m.message_id,
    m.purpose,
    m.ref,
    m.step,
    m.recipient_key,
    m.domain_key,
    m.due_at,
    CASE
        WHEN m.step LIKE 'reminder-%' THEN coalesce(
            (SELECT max(i.exported_at) FROM ops.answer_import AS i WHERE i.campaign = m.ref),
            '-infinity'
        )
        ELSE 'infinity'
    END AS answers_known_until
FROM core.message AS m
WHERE
    m.state = 'queued'
    AND NOT EXISTS (SELECT 1 FROM ops.mail_stop AS s WHERE s.started_at IS NULL)
    AND (
        m.purpose != 'survey'
        OR m.domain_key IS NULL
        -- Asked once and not of each mail: a hundred thousand may wait for one domain.
        OR m.domain_key NOT IN (
            SELECT p.domain_key FROM ops.domain_pause AS p
            WHERE p.ended_at IS NULL
        )
    )
    AND coalesce(
        (
            SELECT e.kind FROM ops.campaign_event AS e
            WHERE
                m.purpose = 'survey'
                AND e.campaign = m.ref
                AND e.kind IN ('stopped', 'resumed', 'closed')
            ORDER BY e.event_id DESC
            LIMIT 1
        ),
        'resumed'
    ) = 'resumed';
COMMENT ON VIEW core.sendable_message IS
'Queued mails that neither the stop of all mail, nor that of their campaign, nor a paused domain holds back; \
and until when the answers of their recipients are known: a reminder goes to nobody who may have answered.';

CREATE TABLE core.bounce (
    mail_id bigint PRIMARY KEY,
    message_id bigint REFERENCES core.message,
    address_key bytea,
    verdict text NOT NULL CHECK (
        verdict IN ('hard', 'soft', 'auto-reply', 'complaint', 'opt-out', 'unknown')
    ),
    status text,
    rule text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX bounce_message ON core.bounce (message_id);
CREATE INDEX bounce_unknown ON core.bounce (mail_id) WHERE verdict = 'unknown';
COMMENT ON TABLE core.bounce IS 'What came back to the return path, and what it was taken for.';

CREATE TABLE core.response (
    response_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign text NOT NULL,
    response_key bytea NOT NULL,
    form_hash text NOT NULL,
    group_code text,
    language text,
    kind text NOT NULL CHECK (kind IN ('counted', 'late', 'doubled', 'tokenless', 'unknown token')),
    answered_at timestamptz NOT NULL,
    imported_at timestamptz NOT NULL,
    UNIQUE (campaign, response_key)
);
COMMENT ON TABLE core.response IS 'One filled-in form, without who filled it in.';

CREATE TABLE core.answer (
    response_id bigint REFERENCES core.response ON DELETE CASCADE,
    question_code text,
    option_code text,
    PRIMARY KEY (response_id, question_code, option_code)
);
COMMENT ON TABLE core.answer IS 'What a response says to a question; several options where several may be ticked.';
"""

PII = """
CREATE TABLE pii.survey_token (
    token text PRIMARY KEY,
    campaign text NOT NULL,
    person_key uuid NOT NULL,
    UNIQUE (campaign, person_key)
);
COMMENT ON TABLE pii.survey_token IS 'Whose personal link a token is; deleted after the campaign is closed.';

CREATE TABLE pii.response_token (
    response_id bigint PRIMARY KEY REFERENCES core.response ON DELETE CASCADE,
    token text NOT NULL
);
CREATE INDEX response_token_token ON pii.response_token (token);
COMMENT ON TABLE pii.response_token IS 'With which token a response came; deleted with the tokens.';

CREATE TABLE pii.answer_text (
    response_id bigint REFERENCES core.response ON DELETE CASCADE,
    question_code text,
    answer text NOT NULL,
    PRIMARY KEY (response_id, question_code)
);
COMMENT ON TABLE pii.answer_text IS 'What people wrote in their own words.';

CREATE TABLE pii.returned_mail (
    mail_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mailbox text NOT NULL,
    mark text NOT NULL,
    content bytea NOT NULL,
    content_hash bytea,
    copy_of bigint REFERENCES pii.returned_mail,
    received_at timestamptz NOT NULL,
    kept_at timestamptz NOT NULL,
    UNIQUE (mailbox, mark)
);
CREATE INDEX returned_mail_content ON pii.returned_mail (content_hash, mail_id);
COMMENT ON TABLE pii.returned_mail IS
'Mail that came to the return path as it came; mark is its number in the mailbox.';
ALTER TABLE core.bounce ADD FOREIGN KEY (mail_id) REFERENCES pii.returned_mail;
"""

MART = """
CREATE TABLE mart.campaign_group (
    campaign text,
    group_code text,
    frame_count bigint NOT NULL,
    invited_count bigint NOT NULL,
    sent_count bigint NOT NULL,
    hard_bounced_count bigint NOT NULL,
    soft_bounced_count bigint NOT NULL,
    uncertain_count bigint NOT NULL,
    delivered_count bigint NOT NULL,
    opted_out_count bigint NOT NULL,
    answered_count bigint NOT NULL,
    sampled_count bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (campaign, group_code)
);
COMMENT ON TABLE mart.campaign_group IS 'What became of the people of a group whom a campaign asked, in people.';

CREATE TABLE mart.campaign_answer (
    campaign text,
    question_code text,
    option_code text,
    response_count bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (campaign, question_code, option_code)
);
COMMENT ON TABLE mart.campaign_answer IS 'How many counted responses of a campaign chose an option.';
"""

OWNER = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class AS c
        WHERE c.relnamespace::regnamespace::text IN ('stage', 'core', 'mart', 'ops', 'pii')
        AND c.relkind IN ('r', 'p', 'v') AND pg_get_userbyid(c.relowner) != 'engagement_writer'
    LOOP
        EXECUTE format(
            'ALTER %s %s OWNER TO engagement_writer',
            CASE one.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, one.name
        );
    END LOOP;
END
$$;
GRANT SELECT ON ALL TABLES IN SCHEMA core, mart, ops TO engagement_reader;
-- Who knows a mail's token can say no in its recipient's name.
REVOKE SELECT ON core.message FROM engagement_reader;
GRANT SELECT (
    message_id, purpose, ref, recipient_key, domain_key, step, edition, state, is_caught, attempt_count, first_tried_at,
    worker_lock, smtp_code, smtp_status, is_hard_refusal, withdrawn_for, queued_at, due_at, claimed_at, sent_at
) ON core.message TO engagement_reader;
"""


def upgrade() -> None:
    """Add what a survey needs, from its plan to what came back."""
    for ddl in (OPS, CORE, PII, MART, OWNER):
        op.execute(ddl)
