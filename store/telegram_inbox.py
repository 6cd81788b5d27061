"""The inbox of Telegram's updates: each is stored before it is acknowledged, and what a crash left undone is found again.

Of many processes one works on an update. It has the update on a lease, renews it while it lives, and asks for it again before each
message that it sends; where it has died, or stopped for so long that it counts as dead, another process takes the update over.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import ColumnElement, CursorResult, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import TelegramUpdate

REMEMBERED = timedelta(days=2)
"""Telegram repeats an update for a day at most; its number is remembered for longer."""
LEASE = timedelta(seconds=10)
"""Less than a start takes, so that a process that is started again after a crash takes up at once what it left."""
MOST_AT_ONCE = 500


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
    update_id: int
    content: dict[str, Any] | None
    """None where no key opens it."""
    progress: Progress


class Taken(Exception):
    """Another process has the update now; this one leaves it alone."""


class TelegramInbox:
    """As one process sees it: what it accepts or takes up is its own."""

    def __init__(self, database: Database, encryption: Encryption, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._encryption = encryption
        self._clock = clock
        self._holder = secrets.token_hex(8)

    def accept(self, update_id: int, chat_id: int, content: dict[str, Any] | None) -> bool:
        """Store an update durably; False where it was stored before. Without `content` it counts as dealt with."""
        now = self._clock()
        row = TelegramUpdate(update_id=update_id, begun=0, sent=0, received_at=now)
        if content is not None:
            row.content, row.chat = self._encryption.seal(content), self._chat(chat_id)
            row.holder, row.held_until = self._holder, now + LEASE
        try:
            with self._database.durable_session() as session:
                session.add(row)
        except IntegrityError:
            return False
        return True

    def take_up(self) -> list[Unfinished]:
        """Updates that nobody works on, in Telegram's order and at most `MOST_AT_ONCE`; they are this process's from now on."""
        now = self._clock()
        held_until = TelegramUpdate.held_until
        over = or_(held_until.is_(None), held_until <= now, held_until > now + 2 * LEASE)  # the last: the clock was set back
        free = TelegramUpdate.content.is_not(None) & over
        oldest = select(TelegramUpdate.update_id).where(free).order_by(TelegramUpdate.update_id).limit(MOST_AT_ONCE)
        with self._database.session() as session:
            if not (found := list(session.scalars(oldest))):  # mostly, and then nothing is written
                return []
        taking = (
            update(TelegramUpdate).where(TelegramUpdate.update_id.in_(found), free).values(holder=self._holder, held_until=now + LEASE)
        )
        with self._database.session() as session:
            taken = session.scalars(taking.returning(TelegramUpdate).execution_options(synchronize_session=False))
            rows = sorted(taken, key=lambda row: row.update_id)
        return [Unfinished(row.update_id, self._content(row), Progress(row.begun, row.sent)) for row in rows]

    def renew(self) -> None:
        """Keep what this process has not finished for `LEASE` from now."""
        self._change(self._mine(), held_until=self._clock() + LEASE)

    def release(self) -> None:
        """Leave what this process has not finished to whoever looks next."""
        self._change(self._mine(), holder=None, held_until=None)

    def earlier_elsewhere(self, update_id: int, chat_id: int) -> bool:
        """Whether an earlier update of the chat is unfinished and not this process's."""
        earlier = select(TelegramUpdate.update_id).where(
            TelegramUpdate.chat == self._chat(chat_id),
            TelegramUpdate.update_id < update_id,
            TelegramUpdate.content.is_not(None),
            or_(TelegramUpdate.holder.is_(None), TelegramUpdate.holder != self._holder),
        )
        with self._database.session() as session:
            return session.scalar(earlier.limit(1)) is not None

    def claim(self, update_id: int, *key: str) -> bool:
        """Whether this update is the first with the key, such as the first press of a keyboard; the same update may ask again."""
        fingerprint = self._encryption.fingerprint("telegram", *key)
        try:
            self._change(TelegramUpdate.update_id == update_id, key=fingerprint)
        except IntegrityError:
            return False
        return True

    def begin(self, update_id: int, number: int) -> None:
        """The message with this number, from 1, is about to be handed to Telegram. Raises `Taken`."""
        self._of_mine(update_id, begun=number)

    def note_sent(self, update_id: int, number: int) -> None:
        """Telegram has taken the messages up to this number. Raises `Taken`."""
        self._of_mine(update_id, begun=number, sent=number)

    def finish(self, update_id: int) -> None:
        """The update is dealt with: what it said is forgotten, its number stays. Raises `Taken`."""
        self._of_mine(update_id, content=None, chat=None, holder=None, held_until=None)

    def forget_old(self) -> int:
        """Delete the numbers of updates that can't come again; how many."""
        old = delete(TelegramUpdate).where(TelegramUpdate.received_at < self._clock() - REMEMBERED, TelegramUpdate.content.is_(None))
        with self._database.session() as session:
            return session.execute(old).rowcount  # type: ignore[attr-defined, no-any-return]  # a DELETE gives a CursorResult

    def _of_mine(self, update_id: int, **values: Any) -> None:
        if not self._change(self._mine() & (TelegramUpdate.update_id == update_id), **values):
            raise Taken(update_id)

    def _mine(self) -> ColumnElement[bool]:
        return TelegramUpdate.content.is_not(None) & (TelegramUpdate.holder == self._holder)

    def _change(self, which: ColumnElement[bool], **values: Any) -> int:
        with self._database.session() as session:
            result = session.execute(update(TelegramUpdate).where(which).values(values))
            assert isinstance(result, CursorResult)
            return result.rowcount

    def _content(self, row: TelegramUpdate) -> dict[str, Any] | None:
        try:
            return dict(self._encryption.unseal(row.content)) if row.content else None
        except InvalidToken:
            return None

    def _chat(self, chat_id: int) -> str:
        return self._encryption.fingerprint("telegram-chat", str(chat_id))
