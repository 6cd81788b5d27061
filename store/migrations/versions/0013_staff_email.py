"""E-mail addresses of staff, by which an identity provider names them"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    with op.batch_alter_table("staff") as staff:
        staff.add_column(sa.Column("email", sa.String(length=200), nullable=True))
        staff.create_unique_constraint("uq_staff_email", ["email"])
