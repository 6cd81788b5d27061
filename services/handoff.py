"""Hands a conversation to an officer and back: the queue, who holds what, and what the citizen has to be told of it.

The citizen asks, waits, may leave; an officer takes, speaks, passes on, hands back. Both sides work on the same rows, each step is one
conditional update, and each leaves an event. What is said to the citizen about it is the assistant's matter (`services/untold.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.calendar import UnknownYear
from services.drafts import Drafts
from services.journeys import KEY
from services.privacy import mask
from services.registry import JOURNEYS
from services.service_hours import ServiceHours
from store.conversations import Conversations, Reply
from store.database import Database, utc_now
from store.models import Conversation, Handoff, HandoffEvent, Message

CITIZEN, PROGRAM = "warga", "sistem"
FROM_OFFICERS = "from officers"
"""The topic of wake-ups for whoever tells citizens what comes from officers."""
LONGEST_MESSAGE = 4000
LONGEST_SILENCE = timedelta(minutes=30)
"""An officer who says nothing for so long gives the citizen back to the assistant."""


class State(StrEnum):
    WAITING = "waiting"
    ACTIVE = "active"
    ENDED = "ended"


class Event(StrEnum):
    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"
    CRISIS = "crisis"
    TAKEN = "taken"
    SAID = "said"
    TRANSFERRED = "transferred"
    LEFT = "left"
    HANDED_BACK = "handed_back"
    UNSERVED = "unserved"


TO_BE_TOLD = {Event.TAKEN, Event.SAID, Event.HANDED_BACK, Event.UNSERVED}
"""What comes from the officer's side, outside a turn of the citizen."""


class Closed(Exception):
    """No officer is on duty. `opens_at` is the next opening in Jakarta's time, or None with the year that isn't decreed yet."""

    def __init__(self, opens_at: datetime | None, unknown_year: int | None = None) -> None:
        super().__init__("no officer is on duty")
        self.opens_at = opens_at
        self.unknown_year = unknown_year


class NotYours(Exception):
    """The hand-off is not in a state, or not in this officer's hands, that allows the step."""


@dataclass(frozen=True)
class Place:
    """A citizen's place in the queue, counted from 1; 0 once an officer has the conversation."""

    handoff_id: int
    state: State
    position: int
    agreed: bool | None


@dataclass(frozen=True)
class Context:
    """What an officer should know so that the citizen need not repeat it; names of fields, never their values."""

    language: str
    topic: str | None
    last_status: str | None
    """Answer status of the last turn (`services/turn.py`)."""
    journey: str | None
    filled: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    handoff_id: int
    conversation_id: str
    waiting_seconds: int
    urgent: bool
    agreed: bool | None
    context: Context


def readable_after(handoff: Handoff) -> int | None:
    """The number of the message after which the officer may read the conversation; None where nothing may be read yet."""
    return 0 if handoff.agreed else handoff.taken_seq


class Handoffs:
    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        drafts: Drafts,
        hours: ServiceHours,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._drafts = drafts
        self._hours = hours
        self._clock = clock

    # The citizen's side

    def ask(self, conversation_id: str) -> Place:
        """Join the queue, or the place held already. Raises `Closed`, and LookupError for an unknown conversation."""
        place = self.place(conversation_id)
        if place:
            return place
        now = self._clock()
        if not self._hours.is_open(now):
            raise self._closed(now)
        if self._conversations.get(conversation_id) is None:
            raise LookupError(conversation_id)
        try:
            with self._database.session() as session:
                handoff = Handoff(conversation_id=conversation_id, state=State.WAITING, urgent=False, asked_at=now)
                session.add(handoff)
                session.flush()
                self._record(session, handoff.id, Event.ASKED, CITIZEN)
        except IntegrityError:
            pass  # the same wish twice at once; the other one made the entry
        place = self.place(conversation_id)
        assert place is not None
        return place

    def place(self, conversation_id: str) -> Place | None:
        """None where the conversation has no open hand-off."""
        with self._database.session() as session:
            query = select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state != State.ENDED)
            handoff = session.scalar(query)
            if handoff is None:
                return None
            ahead = select(func.count()).where(Handoff.state == State.WAITING, Handoff.id <= handoff.id)
            position = session.scalar(ahead) if handoff.state == State.WAITING else 0
        return Place(handoff.id, State(handoff.state), position or 0, handoff.agreed)

    def answer(self, conversation_id: str, *, agreed: bool) -> bool:
        """Keep whether the officer may read what was said before (consent, UU 27/2022 art. 20(2)). False where nobody waits."""
        return self._of_citizen(conversation_id, Event.AGREED if agreed else Event.DECLINED, agreed=agreed)

    def leave(self, conversation_id: str) -> bool:
        """Leave the queue, or return from the officer to the assistant. False where there was nothing to leave."""
        return self._of_citizen(conversation_id, Event.LEFT, **self._end(Event.LEFT))

    def flag_crisis(self, conversation_id: str) -> None:
        """Mark an open hand-off for the officers; the words themselves are not repeated in the event."""
        self._of_citizen(conversation_id, Event.CRISIS, urgent=True)

    # The officer's side

    def queue(self) -> list[Waiting]:
        """Who waits, the oldest first."""
        now = self._clock()
        with self._database.session() as session:
            waiting = list(session.scalars(select(Handoff).where(Handoff.state == State.WAITING).order_by(Handoff.id)))
        return [
            Waiting(
                one.id,
                one.conversation_id,
                max(0, int((now - one.asked_at).total_seconds())),
                one.urgent,
                one.agreed,
                self.context(one.conversation_id),
            )
            for one in waiting
        ]

    def active(self) -> list[Handoff]:
        """Which conversations officers hold now, the oldest first."""
        with self._database.session() as session:
            return list(session.scalars(select(Handoff).where(Handoff.state == State.ACTIVE).order_by(Handoff.taken_at)))

    def get(self, handoff_id: int) -> Handoff:
        """Raises LookupError."""
        return self._get(handoff_id)

    def newest_event(self, handoff_id: int | None = None) -> int:
        """Goes up with everything that happens in the queue, or with one hand-off."""
        of_one = [] if handoff_id is None else [HandoffEvent.handoff_id == handoff_id]
        with self._database.session() as session:
            return session.scalar(select(func.max(HandoffEvent.id)).where(*of_one)) or 0

    def context(self, conversation_id: str) -> Context:
        """As it stands now. Raises LookupError for an unknown conversation."""
        with self._database.session() as session:
            conversation = session.get(Conversation, conversation_id)
            if conversation is None:
                raise LookupError(conversation_id)
            query = select(Message.turn).where(Message.conversation_id == conversation_id, Message.author == "user")
            turns = [turn for turn in session.scalars(query.order_by(Message.seq.desc()).limit(20)) if turn]
        journey = (conversation.awaited_field or "").partition("_")[0]
        filled = self._drafts.read(conversation_id, journey) if journey in JOURNEYS else {}
        return Context(
            language=conversation.locale,
            topic=next((turn["topic"] for turn in turns if turn.get("topic")), None),
            last_status=turns[0].get("status") if turns else None,
            journey=journey if journey in JOURNEYS else None,
            filled=tuple(name for name, value in filled.items() if name != KEY and value is not None),
        )

    def take(self, handoff_id: int, officer: str) -> None:
        """Take a waiting conversation. Raises `NotYours` where another officer was faster or the citizen has left."""
        now = self._clock()
        newest = select(func.max(Message.seq)).where(Message.conversation_id == Handoff.conversation_id)
        values = {"state": State.ACTIVE, "officer": officer, "taken_at": now, "taken_seq": func.coalesce(newest.scalar_subquery(), 0)}
        self._step(handoff_id, Handoff.state == State.WAITING, Event.TAKEN, officer, values)

    def transcript(self, handoff_id: int) -> list[Message]:
        """The newest messages, masked, as far as the officer may read them. Raises LookupError."""
        handoff = self._get(handoff_id)
        since = readable_after(handoff)
        return [] if since is None else self._conversations.newest(handoff.conversation_id, since)

    def say(self, handoff_id: int, officer: str, text: str, form: str = "") -> Message:
        """Write to the citizen as an officer, 1 to 4,000 characters. Raises `NotYours`, ValueError for no or too much text.

        The log keeps it masked; the citizen sees what was written. The same text of the same `form` is said once.
        """
        text = text.strip()
        if not 1 <= len(text) <= LONGEST_MESSAGE:
            raise ValueError(f"a message has 1 to {LONGEST_MESSAGE} characters")
        masked = mask(text).text
        reply = Reply(masked, hidden={masked: text} if masked != text else None)

        def write(session: Session, seq: int) -> Message:
            handoff = session.get(Handoff, handoff_id)
            if handoff and form and (before := self._said(session, handoff, form, text)):
                return before
            if handoff is None or handoff.state != State.ACTIVE or handoff.officer != officer:
                raise NotYours(handoff_id)
            handoff.typed_at = None
            self._record(session, handoff_id, Event.SAID, officer, {"seq": seq, "form": form})
            return self._conversations.add(session, handoff.conversation_id, seq, "officer", reply)

        said = self._conversations.append(self._get(handoff_id).conversation_id, write)
        self._conversations.tell(FROM_OFFICERS)
        return said

    def transfer(self, handoff_id: int, officer: str, to: str) -> None:
        """Pass the conversation on to another officer, who has it from then on. Raises `NotYours`."""
        self._step(handoff_id, held_by(officer), Event.TRANSFERRED, officer, {"officer": to}, {"to": to})

    def hand_back(self, handoff_id: int, officer: str) -> None:
        """Give the conversation back to the assistant. Raises `NotYours`."""
        self._step(handoff_id, held_by(officer), Event.HANDED_BACK, officer, self._end(Event.HANDED_BACK))

    def close_unserved(self) -> list[int]:
        """End every hand-off that nobody took before the service of its day ended; returns their ids."""
        with self._database.session() as session:
            waiting = list(session.scalars(select(Handoff).where(Handoff.state == State.WAITING).order_by(Handoff.id)))
        closed = []
        for handoff in waiting:
            if self._clock() < self._hours.closing_of(handoff.asked_at):
                continue
            try:
                self._step(handoff.id, Handoff.state == State.WAITING, Event.UNSERVED, PROGRAM, self._end(Event.UNSERVED))
            except NotYours:
                continue  # taken or left at the last moment
            closed.append(handoff.id)
        return closed

    def hand_back_idle(self) -> list[int]:
        """Hand back every conversation whose officer has been silent for `LONGEST_SILENCE`; returns the ids."""
        spoke = select(func.max(HandoffEvent.at)).where(
            HandoffEvent.handoff_id == Handoff.id, HandoffEvent.name.in_((Event.TAKEN, Event.SAID, Event.TRANSFERRED))
        )
        with self._database.session() as session:
            idle = select(Handoff.id).where(Handoff.state == State.ACTIVE, spoke.scalar_subquery() < self._clock() - LONGEST_SILENCE)
            found = list(session.scalars(idle))
        ended = []
        for handoff_id in found:
            try:
                self._step(handoff_id, Handoff.state == State.ACTIVE, Event.HANDED_BACK, PROGRAM, self._end(Event.HANDED_BACK))
            except NotYours:
                continue  # ended at the last moment
            ended.append(handoff_id)
        return ended

    # Shared

    def _said(self, session: Session, handoff: Handoff, form: str, text: str) -> Message | None:
        """What a form has said before; with other words, as behind the browser's way back, it says something new."""
        of_form = HandoffEvent.handoff_id == handoff.id, HandoffEvent.data["form"].as_string() == form
        seqs = select(HandoffEvent.data["seq"].as_integer()).where(*of_form)
        said = session.scalars(select(Message).where(Message.conversation_id == handoff.conversation_id, Message.seq.in_(seqs)))
        return next((one for one in said if self._conversations.seen_text(one) == text), None)

    def _closed(self, now: datetime) -> Closed:
        try:
            return Closed(self._hours.next_opening(now))
        except UnknownYear as unknown:
            return Closed(None, unknown.year)

    def _end(self, outcome: Event) -> dict[str, Any]:
        return {"state": State.ENDED, "outcome": outcome, "ended_at": self._clock()}

    def _get(self, handoff_id: int) -> Handoff:
        with self._database.session() as session:
            handoff = session.get(Handoff, handoff_id)
        if handoff is None:
            raise LookupError(handoff_id)
        return handoff

    def _of_citizen(self, conversation_id: str, event: Event, **values: Any) -> bool:
        place = self.place(conversation_id)
        if place is None:
            return False
        try:
            self._step(place.handoff_id, Handoff.state != State.ENDED, event, CITIZEN, values)
        except NotYours:
            return False  # it ended between the two looks
        return True

    def _step(
        self,
        handoff_id: int,
        allowed: ColumnElement[bool],
        event: Event,
        actor: str,
        values: dict[str, Any],
        data: dict[str, Any] | None = None,
    ) -> None:
        """One conditional change with its event. Raises `NotYours` where the hand-off is no longer as `allowed` says."""
        with self._database.session() as session:
            if not _changed_one(session.execute(update(Handoff).where(Handoff.id == handoff_id, allowed).values(values))):
                raise NotYours(handoff_id)
            self._record(session, handoff_id, event, actor, data)
        if event in TO_BE_TOLD:
            self._conversations.tell(FROM_OFFICERS)

    def _record(self, session: Session, handoff_id: int, event: Event, actor: str, data: dict[str, Any] | None = None) -> None:
        now = self._clock()
        told_at = None if event in TO_BE_TOLD else now
        session.add(HandoffEvent(handoff_id=handoff_id, at=now, name=event, actor=actor, data=data or {}, told_at=told_at))


def held_by(officer: str) -> ColumnElement[bool]:
    return (Handoff.state == State.ACTIVE) & (Handoff.officer == officer)


def _changed_one(result: Any) -> bool:
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
