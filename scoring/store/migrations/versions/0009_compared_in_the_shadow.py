"""On how many compared answers a challenger was let out of the shadow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the register of roll-outs; of steps taken before this nobody knows."""
    for column in (
        sa.Column(
            "compared", sa.Integer(), nullable=True, comment="answers in the shadow when it was staged, in whole tens"
        ),
        sa.Column("least_compared", sa.Integer(), nullable=True, comment="asked for by whoever staged it"),
    ):
        op.add_column("model_rollouts", column)


def downgrade() -> None:
    """Forget it again; the audit chain still says it."""
    for column in ("least_compared", "compared"):
        op.drop_column("model_rollouts", column)
