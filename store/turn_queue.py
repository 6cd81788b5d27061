"""The order of turns in a conversation over all processes: a queue in PostgreSQL, each place a short lease.

Whoever has the lowest place of a conversation may work on it. A process keeps its places alive by renewing them; one that was
killed stops, and after `LEASE` the next in the queue takes its place away. A process that was only slow learns of it here: what
it writes in a turn first renews its own place in the same transaction, and where that is gone the write fails (`TurnLost`). So
two processes never both write what they made of the same conversation. Times are the database's own: clocks of hosts may differ.

SQLite serves one process, whose own order in memory is enough (bot/turn_order.py).
"""

from __future__ import annotations

from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from store.database import Database
from store.models import Conversation, QueuedTurn

LEASE = timedelta(seconds=10)
FORGOTTEN = timedelta(hours=1)
_UNTIL = func.now() + LEASE
_LOCK = (
    # Places are numbered in the order in which they can be seen, since only one is given out at a time in a conversation. The
    # place itself may be lost in a crash of the database: it is then gone for its holder, too.
    select(func.set_config("synchronous_commit", "off", text("true")))
    .where(Conversation.id == bindparam("conversation"))
    .with_for_update(key_share=True)
)
_JOIN = insert(QueuedTurn).values(conversation_id=bindparam("conversation"), until=_UNTIL).returning(QueuedTurn.id)
_BEFORE = select(func.count()).where(QueuedTurn.conversation_id == bindparam("conversation"), QueuedTurn.id < bindparam("place"))


class TurnLost(Exception):
    """This turn's place went to another process, because this one was silent for too long. Nothing of the turn is stored."""


@dataclass
class Place:
    """A place in the queue of a conversation."""

    id: int
    conversation_id: str
    before: int
    """How many were before it when it was last looked at."""
    is_left: bool = False
    """Given up together with the turn's last write."""


HELD: ContextVar[Place | None] = ContextVar("held_place", default=None)
"""The place whose turn is being worked on here; None outside a turn and where there is no queue."""


class TurnQueue:
    def __init__(self, database: Database) -> None:
        """`database` is PostgreSQL."""
        self._database = database

    def join(self, conversation_id: str) -> Place | None:
        """A place at the end of the queue; None for a conversation that is not there."""
        with self._database.session() as session:
            if session.execute(_LOCK, {"conversation": conversation_id}).first() is None:
                return None
            place = session.execute(_JOIN, {"conversation": conversation_id}).scalar_one()
            before = session.scalar(_BEFORE, {"conversation": conversation_id, "place": place}) or 0
        return Place(place, conversation_id, before)

    def advance(self, place: Place) -> None:
        """Look again how many are before `place`, without those who no longer renew. Raises `TurnLost` where it is gone itself."""
        over = delete(QueuedTurn).where(
            QueuedTurn.conversation_id == place.conversation_id, QueuedTurn.id < place.id, QueuedTurn.until < func.clock_timestamp()
        )
        with self._database.session() as session:
            renew(session, place)
            session.execute(over)
            place.before = session.scalar(_BEFORE, {"conversation": place.conversation_id, "place": place.id}) or 0

    def renew_all(self, places: Collection[Place]) -> None:
        """Keep these alive, all at once; those that are gone stay gone."""
        with self._database.session() as session:
            session.execute(update(QueuedTurn).where(QueuedTurn.id.in_([place.id for place in places])).values(until=_UNTIL))

    def leave(self, place: Place) -> None:
        with self._database.session() as session:
            session.execute(delete(QueuedTurn).where(QueuedTurn.id == place.id))

    def forget_old(self) -> int:
        """Delete places that nobody has renewed for an hour, in conversations to which nobody came back; how many."""
        with self._database.session() as session:
            old = delete(QueuedTurn).where(QueuedTurn.until < func.now() - FORGOTTEN)
            return session.execute(old).rowcount  # type: ignore[attr-defined, no-any-return]  # a DELETE gives a CursorResult


def renew(session: Session, place: Place) -> None:
    """Hold `place` until the transaction ends and for `LEASE` after it. Raises `TurnLost`."""
    renewed = session.execute(update(QueuedTurn).where(QueuedTurn.id == place.id).values(until=_UNTIL))
    if not renewed.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise TurnLost(place.conversation_id)


def hold(session: Session, conversation_id: str | None = None, *, last: bool = False) -> None:
    """To be called in every transaction of a turn: raises `TurnLost` where the turn is no longer this process's own.

    `conversation_id`: what is written belongs to this conversation, and is no business of another one's turn. None: whichever turn
    this is. `last`: nothing of the turn is written after this transaction, which gives the place to the next.
    """
    place = HELD.get()
    if place is None or conversation_id not in (None, place.conversation_id):
        return
    if not last:
        renew(session, place)
    elif not session.execute(delete(QueuedTurn).where(QueuedTurn.id == place.id)).rowcount:  # type: ignore[attr-defined]  # as above
        raise TurnLost(place.conversation_id)
    else:
        place.is_left = True
