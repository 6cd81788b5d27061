"""The sign that an officer is writing, from the desk to the citizen, who may be served by another process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update

from services.handoff import FROM_OFFICERS, State, held_by
from store.conversations import Conversations
from store.database import Database, utc_now
from store.models import Handoff

TYPING_EVERY = timedelta(seconds=2)
"""More often than this an officer's writing is not noted."""
TYPING_SHOWN = timedelta(seconds=6)
"""So long the sign that an officer is writing is true; an officer who goes on writing renews it."""


class OfficerTyping:
    def __init__(self, database: Database, conversations: Conversations, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._conversations = conversations
        self._clock = clock

    def note(self, handoff_id: int, officer: str) -> None:
        """Note that the officer is writing; nothing where the conversation is not theirs, or where it was noted just now."""
        now = self._clock()
        due = or_(Handoff.typed_at.is_(None), Handoff.typed_at < now - TYPING_EVERY)
        with self._database.session() as session:
            typing = update(Handoff).where(Handoff.id == handoff_id, held_by(officer), due).values(typed_at=now)
            conversation_id = session.scalar(typing.returning(Handoff.conversation_id))
        if conversation_id:
            self._conversations.tell(conversation_id)
            self._conversations.tell(FROM_OFFICERS)

    def everywhere(self) -> dict[str, datetime]:
        """Conversations in which an officer is writing now, and since when that was last seen."""
        query = select(Handoff.conversation_id, Handoff.typed_at).where(*self._is_shown())
        with self._database.session() as session:
            return {conversation_id: typed_at for conversation_id, typed_at in session.execute(query) if typed_at}

    def seen_at(self, conversation_id: str) -> datetime | None:
        """When an officer was last seen writing in this conversation, if that is still so."""
        query = select(Handoff.typed_at).where(Handoff.conversation_id == conversation_id, *self._is_shown())
        with self._database.session() as session:
            return session.scalar(query)

    def _is_shown(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return Handoff.state == State.ACTIVE, Handoff.typed_at > self._clock() - TYPING_SHOWN
