"""Open tickets in the order of their due dates, for lists of hundreds of thousands"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    is_open = sa.text("state <> 'selesai'")
    # Large installations make it beforehand, CONCURRENTLY (docs/scaling.md).
    op.create_index(
        "ix_tickets_open", "tickets", ["due_on", "id"], sqlite_where=is_open, postgresql_where=is_open, if_not_exists=True
    )
