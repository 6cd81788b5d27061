"""Figures of past days, so that an overview does not count the whole log again"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    # Empty at first: the scheduler fills it a month of days at a time, and what is missing is counted from the log.
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("figure", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
