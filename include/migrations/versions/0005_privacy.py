"""Privacy: who was erased, what was read of whom, what was deleted when its time was over."""

from alembic import op

revision = "0005"
down_revision = "0004"

PII = """
CREATE TABLE pii.tombstone (
    tombstone_key bytea PRIMARY KEY,
    reason text NOT NULL CHECK (reason IN ('erased', 'objected')),
    erased_at timestamptz NOT NULL
);
COMMENT ON TABLE pii.tombstone IS
'Whose records are not taken in any more: HMAC of library system and id there, when and why; nothing else.';

ALTER TABLE pii.quarantine DROP CONSTRAINT quarantine_reason_code_check;
ALTER TABLE pii.quarantine ADD CONSTRAINT quarantine_reason_code_check CHECK (
    reason_code IN ('undecodable', 'malformed', 'objected')
);
COMMENT ON TABLE pii.quarantine IS
'Source records that are not staged: those that cannot be read with their bytes, those of the erased without.';
COMMENT ON TABLE pii.returned_mail IS
'Mail that came to the return path as it came, or empty when its time was over; mark: its number in the mailbox.';
"""

OPS = """
CREATE TABLE ops.pii_read (
    read_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    read_at timestamptz NOT NULL,
    actor text NOT NULL,
    command text NOT NULL,
    purpose text NOT NULL,
    tombstone_key bytea,
    row_count bigint NOT NULL
);
COMMENT ON TABLE ops.pii_read IS
'Which person''s command read patrons'' values, and what for; of one patron the HMAC of his id.';

CREATE TABLE ops.retention_run (
    run_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place text NOT NULL,
    deleted_count bigint NOT NULL,
    run_at timestamptz NOT NULL
);
COMMENT ON TABLE ops.retention_run IS 'How much was deleted or emptied in a place because its time was over.';
"""

OWNER = """
ALTER TABLE pii.tombstone OWNER TO engagement_writer;
ALTER TABLE ops.pii_read OWNER TO engagement_writer;
ALTER TABLE ops.retention_run OWNER TO engagement_writer;
GRANT SELECT ON ops.pii_read, ops.retention_run TO engagement_reader;
"""


def upgrade() -> None:
    """Add what privacy keeps of itself."""
    for ddl in (PII, OPS, OWNER):
        op.execute(ddl)
