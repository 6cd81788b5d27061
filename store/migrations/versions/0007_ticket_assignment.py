"""Who at the ministry handles a ticket, and the order in which tickets fall due"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("tickets", sa.Column("assigned_to", sa.String(length=40), nullable=True))
    op.create_index("ix_tickets_assigned_to", "tickets", ["assigned_to"])
    op.create_index("ix_tickets_due", "tickets", ["state", "due_on", "id"])
