"""What the citizen has still to be told of a hand-off: which events, and which process is telling them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, or_, select, update

from services.handoff import Event
from store.database import Database, utc_now
from store.models import Handoff, HandoffEvent

TIME_TO_TELL = timedelta(minutes=5)
"""So long a process may take to tell the citizen of an event before another one tries."""


@dataclass(frozen=True)
class Untold:
    """An event that the citizen has not been told of."""

    event_id: int
    name: Event
    conversation_id: str
    to_send: list[int] | None
    """Numbers of the messages of the conversation that tell it and are not sent yet; None where nothing is stored yet."""


class UntoldEvents:
    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock

    def all(self) -> list[Untold]:
        """In order; one of them may be somebody else's `claim`."""
        query = (
            select(HandoffEvent, Handoff.conversation_id)
            .join(Handoff, Handoff.id == HandoffEvent.handoff_id)
            .where(HandoffEvent.told_at.is_(None))
            .order_by(HandoffEvent.id)
        )
        with self._database.session() as session:
            rows = session.execute(query).all()
        return [Untold(event.id, Event(event.name), conversation_id, _to_send(event.data)) for event, conversation_id in rows]

    def claim(self, event_id: int) -> bool:
        """Whether this caller is the one to tell the citizen of the event; `told` says that it is done."""
        now = self._clock()
        free = or_(HandoffEvent.claimed_at.is_(None), HandoffEvent.claimed_at < now - TIME_TO_TELL)
        claim = update(HandoffEvent).where(HandoffEvent.id == event_id, HandoffEvent.told_at.is_(None), free)
        with self._database.session() as session:
            claimed = session.execute(claim.values(claimed_at=now))
            assert isinstance(claimed, CursorResult)
            return claimed.rowcount == 1

    def release(self, event_id: int) -> None:
        """Give up a claim, so that the next look tries again."""
        with self._database.session() as session:
            session.execute(update(HandoffEvent).where(HandoffEvent.id == event_id).values(claimed_at=None))

    def note_to_send(self, event_id: int, seqs: Sequence[int]) -> None:
        """Which messages that tell of the event still have to be sent, so that none is stored or sent again after a pause."""
        with self._database.session() as session:
            event = session.get_one(HandoffEvent, event_id)
            event.data = {**event.data, "to_send": list(seqs)}

    def told(self, event_id: int) -> None:
        with self._database.session() as session:
            session.execute(update(HandoffEvent).where(HandoffEvent.id == event_id).values(told_at=self._clock()))


def _to_send(data: dict[str, Any]) -> list[int] | None:
    if "to_send" in data:
        return list(data["to_send"])
    return [data["seq"]] if "seq" in data else None
