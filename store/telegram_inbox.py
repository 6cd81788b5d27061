"""The inbox of Telegram's updates: each is stored before it is acknowledged, and what a crash left undone is found again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import TelegramUpdate

REMEMBERED = timedelta(days=2)
"""Telegram repeats an update for a day at most; its number is remembered for longer."""


@dataclass(frozen=True)
class Progress:
    """How far the answer to an update has gone, counted in messages to Telegram."""

    begun: int = 0
    """Handed to Telegram, as far as we know; noted before the call."""
    sent: int = 0
    """Taken by Telegram; noted after the call."""

    @property
    def in_doubt(self) -> bool:
        """A process died between the two notes: Telegram may have the message or not."""
        return self.begun > self.sent


@dataclass(frozen=True)
class Unfinished:
    content: dict[str, Any]
    progress: Progress


class TelegramInbox:
    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def accept(self, update_id: int, content: dict[str, Any] | None) -> bool:
        """Store an update durably; False where it was stored before. Without `content` it counts as dealt with."""
        sealed = self._encryption.seal(content) if content is not None else None
        row = TelegramUpdate(update_id=update_id, content=sealed, begun=0, sent=0, received_at=utc_now())
        try:
            with self._database.durable_session() as session:
                session.add(row)
        except IntegrityError:
            return False
        return True

    def unfinished(self) -> list[Unfinished]:
        """Each update that is not dealt with, in Telegram's order."""
        query = select(TelegramUpdate).where(TelegramUpdate.content.is_not(None)).order_by(TelegramUpdate.update_id)
        with self._database.session() as session:
            return [
                Unfinished(self._encryption.unseal(row.content), Progress(row.begun, row.sent))
                for row in session.scalars(query)
                if row.content
            ]

    def claim(self, update_id: int, *key: str) -> bool:
        """Whether this update is the first with the key, such as the first press of a keyboard; the same update may ask again."""
        fingerprint = self._encryption.fingerprint("telegram", *key)
        try:
            self._set(update_id, key=fingerprint)
        except IntegrityError:
            return False
        return True

    def begin(self, update_id: int, number: int) -> None:
        """The message with this number, from 1, is about to be handed to Telegram."""
        self._set(update_id, begun=number)

    def note_sent(self, update_id: int, number: int) -> None:
        """Telegram has taken the messages up to this number."""
        self._set(update_id, begun=number, sent=number)

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
