"""Rasa's tracker in our database: writes only new events, reads only the current session, and keeps sessions short.

A turn of a long conversation costs what its tracker is long, because Rasa walks all events several times. So a session that has
grown past `SESSION_EVENTS` is closed at the next read and a new one begins that carries over every slot and an open form.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import delete, func, insert, select

from store.database import Database
from store.models import TrackerEvent
from store.turn_queue import hold

SESSION_EVENTS = 30
KEPT_TRACKERS = 128
"""In each process. A tracker takes some 30 kB, and to read it again a few milliseconds."""
_STORED = "_sapa_stored"
_SESSION = "_sapa_session"


@dataclass(frozen=True)
class NewEvents:
    """What a turn has added to a tracker, as one row to be written with the turn's replies."""

    row: dict[str, Any] | None
    tracker: DialogueStateTracker
    store: SapaTrackerStore
    """Which keeps the tracker: it fits the model of this store only."""


class SapaTrackerStore(TrackerStore):
    """One row a turn. Trackers of the last conversations stay in memory and are used again where no other process has written."""

    def __init__(self, domain: Domain, database: Database) -> None:
        super().__init__(domain)
        self._database = database
        self.most_kept = KEPT_TRACKERS
        self._kept: OrderedDict[str, tuple[int, DialogueStateTracker]] = OrderedDict()
        self._expected: dict[str, int] = {}

    def expect(self, sender_id: str, newest: int) -> None:
        """Tell the next `retrieve` what the newest row is, seen a moment ago; 0 where there is none."""
        self._expected[sender_id] = newest

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker of the current session, or None for a new conversation."""
        newest, tracker = self._kept.pop(sender_id, (0, None))
        expected = self._expected.pop(sender_id, None)
        if expected is None:
            expected = await asyncio.to_thread(self._newest, sender_id)
        if tracker is None or newest != expected:
            tracker = self._from_rows(sender_id, await asyncio.to_thread(self._read, sender_id))
        if tracker is not None and len(tracker.events) > SESSION_EVENTS:
            return self._new_session(tracker)
        return tracker

    async def peek(self, sender_id: str, expected: int | None = None) -> DialogueStateTracker | None:
        """As `retrieve`, for who only reads: the tracker stays in memory for the turn, and may be longer than a session.

        `expected`: the newest row, seen a moment ago.
        """
        if expected is None:
            expected = await asyncio.to_thread(self._newest, sender_id)
        newest, tracker = self._kept.get(sender_id, (0, None))
        if tracker is None or newest != expected:
            rows = await asyncio.to_thread(self._read, sender_id)
            tracker = self._from_rows(sender_id, rows)
            if tracker is not None:
                self._remember(rows[-1].id, tracker)
        return tracker

    def _newest(self, sender_id: str) -> int:
        with self._database.session() as session:
            return session.scalar(select(func.max(TrackerEvent.id)).where(TrackerEvent.conversation_id == sender_id)) or 0

    def _read(self, sender_id: str) -> Sequence[Any]:
        """The rows of the current session."""
        latest = select(func.max(TrackerEvent.session)).where(TrackerEvent.conversation_id == sender_id).scalar_subquery()
        query = select(TrackerEvent.id, TrackerEvent.session, TrackerEvent.data)
        query = query.where(TrackerEvent.conversation_id == sender_id, TrackerEvent.session == latest)
        with self._database.session() as session:
            return session.execute(query.order_by(TrackerEvent.id)).all()

    def _from_rows(self, sender_id: str, rows: Sequence[Any]) -> DialogueStateTracker | None:
        parsed = (Event.from_parameters(event) for row in rows for event in _events_of(row.data))
        events = [event for event in parsed if event is not None]
        if not events:
            return None
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        setattr(tracker, _SESSION, rows[0].session)
        setattr(tracker, _STORED, len(events))
        return tracker

    def _new_session(self, old: DialogueStateTracker) -> DialogueStateTracker:
        """A tracker that stands where `old` stood, in as few events as possible; saved with the turn that follows."""
        events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
        events += [SlotSet(name, slot.value) for name, slot in old.slots.items() if slot.has_been_set and slot.value is not None]
        if old.active_loop_name:
            events.append(ActiveLoop(old.active_loop_name))
        events.append(ActionExecuted(ACTION_LISTEN_NAME))
        tracker = DialogueStateTracker.from_events(old.sender_id, events, self.domain.slots)
        setattr(tracker, _SESSION, getattr(old, _SESSION, 0) + 1)
        setattr(tracker, _STORED, 0)
        return tracker

    def new_events(self, tracker: DialogueStateTracker) -> NewEvents:
        """What came since the tracker was read."""
        new = list(tracker.events)[getattr(tracker, _STORED, 0) :]
        data = json.dumps([event.as_dict() for event in new])
        row = {"conversation_id": tracker.sender_id, "session": getattr(tracker, _SESSION, 0), "data": data}
        return NewEvents(row if new else None, tracker, self)

    def keep(self, written: NewEvents, row_id: int) -> None:
        """Remember the tracker whose new events are written now, under the id of their row."""
        setattr(written.tracker, _STORED, len(written.tracker.events))
        self._remember(row_id, written.tracker)

    def _remember(self, newest: int, tracker: DialogueStateTracker) -> None:
        self._kept[tracker.sender_id] = (newest, tracker)
        while len(self._kept) > self.most_kept:
            self._kept.popitem(last=False)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Write what is new outside a turn. A turn writes it with its replies (store/conversations.py)."""
        new = self.new_events(tracker)
        if new.row:
            self.keep(new, await asyncio.to_thread(self._write, new.row))

    def _write(self, row: dict[str, Any]) -> int:
        with self._database.session() as session:
            hold(session, row["conversation_id"])
            return session.execute(insert(TrackerEvent).values(row).returning(TrackerEvent.id)).scalar_one()

    def drop_kept(self, sender_id: str) -> None:
        """Forget what is in memory of a conversation whose rows are deleted elsewhere."""
        self._kept.pop(sender_id, None)

    async def delete(self, sender_id: str) -> None:
        """Forget everything of a conversation."""
        self.drop_kept(sender_id)

        def forget() -> None:
            with self._database.session() as session:
                session.execute(delete(TrackerEvent).where(TrackerEvent.conversation_id == sender_id))

        await asyncio.to_thread(forget)

    async def keys(self) -> Iterable[str]:
        def read() -> list[str]:
            with self._database.session() as session:
                return list(session.scalars(select(TrackerEvent.conversation_id).distinct()))

        return await asyncio.to_thread(read)


def _events_of(data: str) -> list[dict[str, Any]]:
    """The events of a row: those of a turn, or the one that version 0.1.0 wrote in each."""
    stored = json.loads(data)
    return stored if isinstance(stored, list) else [stored]
