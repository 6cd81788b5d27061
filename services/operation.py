"""How the service is doing: what must hold before it may serve, and the figures that alerts look at. Counts only."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.fernet import InvalidToken
from sqlalchemy import ColumnElement, func, select

from services.calendar import WorkingCalendar
from services.legal_clock import Light
from services.ticket_list import TicketList
from store.database import Database
from store.encryption import Encryption
from store.job_runs import JobRuns
from store.models import Conversation, Handoff, TelegramUpdate
from store.notices import OPEN_STATES
from store.ticket_models import Notice, Ticket

LEAST_FREE_BYTES = 200 * 1024 * 1024
"""Below this the database may soon not take a ticket; better that the proxy sends citizens to another process."""


@dataclass(frozen=True)
class Figures:
    handoffs_waiting: int
    notices_open: int
    oldest_notice_seconds: float
    telegram_waiting: int
    oldest_telegram_seconds: float
    tickets: dict[Light, int]
    """Open tickets with a legal due date."""
    jobs_failing: int
    runs: dict[str, datetime]
    """Of each job that ever ran, when its last run ended."""
    disk_free_bytes: int


class Operation:
    def __init__(self, database: Database, encryption: Encryption, calendar: WorkingCalendar, jobs: JobRuns, data_dir: Path) -> None:
        self._database = database
        self._encryption = encryption
        self._calendar = calendar
        self._jobs = jobs
        self._data_dir = data_dir

    def checks(self) -> dict[str, bool]:
        """What must hold before requests may come: each by its name."""
        reachable = self._database.is_reachable()
        return {
            "database": reachable,
            "migrations": reachable and self._database.is_migrated(),
            "keys": reachable and self.opens_what_is_there(),
            "disk": shutil.disk_usage(self._data_dir).free >= LEAST_FREE_BYTES,
        }

    def opens_what_is_there(self) -> bool:
        """Whether the newest and the oldest sealed values open: a wrong or missing key is found before a citizen finds it."""
        columns = [(Ticket.fields, Ticket.id), (Conversation.address, Conversation.created_at)]
        with self._database.session() as session:
            queries = [
                select(sealed).where(sealed.is_not(None)).order_by(order).limit(1)
                for sealed, key in columns
                for order in (key.asc(), key.desc())
            ]
            values = [session.scalar(query) for query in queries]
        try:
            for value in values:
                if value is not None:
                    self._encryption.unseal(value)
        except InvalidToken:
            return False
        return True

    def figures(self, now: datetime) -> Figures:
        runs = self._jobs.all()

        def count(*conditions: ColumnElement[bool]) -> int:
            return session.scalar(select(func.count()).where(*conditions)) or 0

        telegram_waits = TelegramUpdate.content.is_not(None)
        notice_open = Notice.state.in_([state.value for state in OPEN_STATES])
        with self._database.session() as session:
            oldest_update = session.scalar(select(func.min(TelegramUpdate.received_at)).where(telegram_waits))
            oldest_notice = session.scalar(select(func.min(Notice.changed_at)).where(notice_open))
            return Figures(
                handoffs_waiting=count(Handoff.state == "waiting"),
                notices_open=count(notice_open),
                oldest_notice_seconds=(now - oldest_notice).total_seconds() if oldest_notice else 0.0,
                telegram_waiting=count(telegram_waits),
                oldest_telegram_seconds=(now - oldest_update).total_seconds() if oldest_update else 0.0,
                tickets=TicketList(self._database, self._calendar, lambda: now).lights(),
                jobs_failing=sum(run.error is not None for run in runs),
                runs={run.name: run.at for run in runs},
                disk_free_bytes=shutil.disk_usage(self._data_dir).free,
            )
