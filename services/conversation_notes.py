"""Internal notes on a conversation: what officers leave for each other. Citizens never see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.audit import AuditLog
from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import Conversation, ConversationNote

LONGEST_NOTE = 2000
SENT_AGAIN_WITHIN = timedelta(minutes=10)
"""An officer's newest note that comes once more word for word is the same form, sent twice."""


@dataclass(frozen=True)
class Note:
    officer: str
    text: str
    at: datetime


class ConversationNotes:
    def __init__(self, database: Database, encryption: Encryption, audit: AuditLog) -> None:
        self._database = database
        self._encryption = encryption
        self._audit = audit

    def of(self, conversation_id: str) -> list[Note]:
        """The oldest first."""
        query = select(ConversationNote).where(ConversationNote.conversation_id == conversation_id).order_by(ConversationNote.id)
        with self._database.session() as session:
            return [Note(one.officer, str(self._encryption.unseal(one.text)), one.at) for one in session.scalars(query)]

    def add(self, conversation_id: str, officer: str, text: str) -> None:
        """A note whose form was sent twice is stored once.

        Raises LookupError for an unknown conversation, ValueError for no text or more than 2,000 characters.
        """
        text = text.strip()
        if not 1 <= len(text) <= LONGEST_NOTE:
            raise ValueError(f"a note has 1 to {LONGEST_NOTE} characters")
        with self._database.session() as session:
            if session.get(Conversation, conversation_id, with_for_update={"key_share": True}) is None:
                raise LookupError(conversation_id)
            if self._is_stored(session, conversation_id, officer, text):
                return
            sealed = self._encryption.seal(text)
            session.add(ConversationNote(conversation_id=conversation_id, officer=officer, text=sealed, at=utc_now()))
        self._audit.record(officer, "conversation.noted", conversation_id)

    def _is_stored(self, session: Session, conversation_id: str, officer: str, text: str) -> bool:
        of_officer = select(ConversationNote).filter_by(conversation_id=conversation_id, officer=officer)
        newest = session.scalar(of_officer.order_by(ConversationNote.id.desc()).limit(1))
        if newest is None or utc_now() - newest.at > SENT_AGAIN_WITHIN:
            return False
        return str(self._encryption.unseal(newest.text)) == text
