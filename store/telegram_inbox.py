"""The inbox of Telegram's updates: each is stored before it is acknowledged, and what a crash left undone is found again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import TelegramUpdate

REMEMBERED = timedelta(days=2)
"""Telegram repeats an update for a day at most; its number is remembered for longer."""


class TelegramInbox:
    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def accept(self, update_id: int, content: dict[str, Any]) -> bool:
        """Store an update durably; False where it was stored before."""
        row = TelegramUpdate(update_id=update_id, content=self._encryption.seal(content), sent=0, received_at=utc_now())
        try:
            with self._database.durable_session() as session:
                session.add(row)
        except IntegrityError:
            return False
        return True

    def unfinished(self) -> list[dict[str, Any]]:
        """The content of each update that is not dealt with, in Telegram's order."""
        query = select(TelegramUpdate.content).where(TelegramUpdate.content.is_not(None)).order_by(TelegramUpdate.update_id)
        with self._database.session() as session:
            return [self._encryption.unseal(content) for content in session.scalars(query) if content]

    def sent(self, update_id: int) -> int:
        """How many messages of the answer Telegram has taken so far."""
        with self._database.session() as session:
            return session.scalar(select(TelegramUpdate.sent).where(TelegramUpdate.update_id == update_id)) or 0

    def note_sent(self, update_id: int, count: int) -> None:
        self._set(update_id, sent=count)

    def finish(self, update_id: int) -> None:
        """The update is dealt with: what it said is forgotten, its number stays."""
        self._set(update_id, content=None)

    def forget_old(self) -> int:
        """Delete the numbers of updates that can't come again; how many."""
        old = delete(TelegramUpdate).where(TelegramUpdate.received_at < utc_now() - REMEMBERED, TelegramUpdate.content.is_(None))
        with self._database.session() as session:
            return session.execute(old).rowcount  # type: ignore[attr-defined, no-any-return]  # a DELETE gives a CursorResult

    def _set(self, update_id: int, **values: Any) -> None:
        with self._database.session() as session:
            session.execute(update(TelegramUpdate).where(TelegramUpdate.update_id == update_id).values(values))
