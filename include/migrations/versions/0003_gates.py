"""A gate that a person has accepted may close again, for other figures of the same extract."""

from alembic import op

revision = "0003"
down_revision = "0002"

GATE = """
ALTER TABLE ops.gate DROP CONSTRAINT gate_pkey;
ALTER TABLE ops.gate ADD COLUMN gate_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
CREATE INDEX gate_extract ON ops.gate (extract_id);
"""


def upgrade() -> None:
    """Let each sentence that stopped an extract be accepted by itself."""
    op.execute(GATE)
