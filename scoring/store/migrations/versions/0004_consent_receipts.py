"""Which versions of notices were replaced, and an index on when consents end."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from benne.scoring.store.migrations.append_only import closing

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE: Final = "consent_notice_replacements"
_ENDS: Final = "ix_consent_events_valid_until_us"


def upgrade() -> None:
    """Make the table, closed to everything but INSERT, and the index."""
    _make_consent_notice_replacements()
    op.create_index(op.f(_ENDS), "consent_events", ["valid_until_us"], unique=False)
    for statement in closing(_TABLE, "notice_id, version", op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """Take it all away again."""
    op.drop_index(op.f(_ENDS), table_name="consent_events")
    op.drop_table(_TABLE)


def _make_consent_notice_replacements() -> None:
    op.create_table(
        _TABLE,
        sa.Column("notice_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False, comment="that nobody may be asked with any more"),
        sa.Column("replaced_by", sa.String(length=32), nullable=False),
        sa.Column(
            "changes", sa.String(length=64), nullable=False, comment="what means something else now, comma-separated"
        ),
        sa.Column("replaced_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("version <> replaced_by", name=op.f(f"ck_{_TABLE}_replaced_by")),
        sa.CheckConstraint("length(changes) > 0", name=op.f(f"ck_{_TABLE}_changes")),
        sa.PrimaryKeyConstraint("notice_id", "version", name=op.f(f"pk_{_TABLE}")),
    )
