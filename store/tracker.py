"""Rasa's tracker in our database: writes only new events, reads only the current session, and keeps sessions short.

A turn of a long conversation costs what its tracker is long, because Rasa walks all events several times. So a session that has
grown past `SESSION_EVENTS` is closed at the next read and a new one begins that carries over every slot and an open form.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import delete, func, insert, select

from store.database import Database
from store.models import TrackerEvent

SESSION_EVENTS = 80
_STORED = "_sapa_stored"
_SESSION = "_sapa_session"


class SapaTrackerStore(TrackerStore):
    def __init__(self, domain: Domain, database: Database) -> None:
        super().__init__(domain)
        self._database = database

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker of the current session, or None for a new conversation."""
        session, events = await asyncio.to_thread(self._read, sender_id)
        if not events:
            return None
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        setattr(tracker, _SESSION, session)
        setattr(tracker, _STORED, len(events))
        return self._new_session(tracker) if len(events) > SESSION_EVENTS else tracker

    def _read(self, sender_id: str) -> tuple[int, list[Event]]:
        with self._database.session() as session:
            latest = select(func.max(TrackerEvent.session)).where(TrackerEvent.conversation_id == sender_id).scalar_subquery()
            query = (
                select(TrackerEvent.session, TrackerEvent.data)
                .where(TrackerEvent.conversation_id == sender_id, TrackerEvent.session == latest)
                .order_by(TrackerEvent.id)
            )
            rows = session.execute(query).all()
        events = (Event.from_parameters(json.loads(row.data)) for row in rows)
        return (rows[0].session if rows else 0), [event for event in events if event is not None]

    def _new_session(self, old: DialogueStateTracker) -> DialogueStateTracker:
        """A tracker that stands where `old` stood, in as few events as possible; saved with the turn that follows."""
        events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
        events += [SlotSet(name, slot.value) for name, slot in old.slots.items() if slot.has_been_set]
        if old.active_loop_name:
            events.append(ActiveLoop(old.active_loop_name))
        events.append(ActionExecuted(ACTION_LISTEN_NAME))
        tracker = DialogueStateTracker.from_events(old.sender_id, events, self.domain.slots)
        setattr(tracker, _SESSION, getattr(old, _SESSION) + 1)
        setattr(tracker, _STORED, 0)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Write the events that came since the tracker was read."""
        events = list(tracker.events)
        session, stored = getattr(tracker, _SESSION, 0), getattr(tracker, _STORED, 0)
        new = events[stored:]
        if new:
            await asyncio.to_thread(self._write, tracker.sender_id, session, new)
            setattr(tracker, _STORED, len(events))

    def _write(self, sender_id: str, session_number: int, events: list[Event]) -> None:
        rows = [{"conversation_id": sender_id, "session": session_number, "data": json.dumps(event.as_dict())} for event in events]
        with self._database.session() as session:
            session.execute(insert(TrackerEvent), rows)

    async def delete(self, sender_id: str) -> None:
        """Forget everything of a conversation."""

        def forget() -> None:
            with self._database.session() as session:
                session.execute(delete(TrackerEvent).where(TrackerEvent.conversation_id == sender_id))

        await asyncio.to_thread(forget)

    async def keys(self) -> Iterable[str]:
        def read() -> list[str]:
            with self._database.session() as session:
                return list(session.scalars(select(TrackerEvent.conversation_id).distinct()))

        return await asyncio.to_thread(read)
