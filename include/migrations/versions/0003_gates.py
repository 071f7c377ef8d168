"""A gate that a person has accepted may close again, for other figures of the same extract."""

from alembic import op

revision = "0003"
down_revision = "0002"

GATE = """
ALTER TABLE ops.gate DROP CONSTRAINT gate_pkey;
CREATE UNIQUE INDEX gate_key ON ops.gate (extract_id, gate_code, md5(sentence));
"""


def upgrade() -> None:
    """Let each sentence that stopped an extract be accepted by itself."""
    op.execute(GATE)
