"""Keeps what a citizen has given so far in a form that is not sent yet, encrypted, one draft a conversation and journey."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import Base, Draft
from store.turn_queue import hold


@dataclass(frozen=True)
class KeptDraft:
    fields: dict[str, Any]
    written_at: datetime


_DRAFTS = Base.metadata.tables[Draft.__tablename__]  # the table itself: see store/conversations.py
_THIS = (_DRAFTS.c.conversation_id == bindparam("conversation")) & (_DRAFTS.c.journey == bindparam("of"))
_KEPT = select(_DRAFTS.c.fields, _DRAFTS.c.updated_at).where(_THIS)
_CHANGE, _ADD = update(_DRAFTS).where(_THIS), insert(_DRAFTS)


class Drafts:
    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def kept(self, conversation_id: str, journey: str) -> KeptDraft | None:
        with self._database.session() as session:
            draft = session.execute(_KEPT, {"conversation": conversation_id, "of": journey}).first()
        return KeptDraft(dict(self._encryption.unseal(draft.fields)), draft.updated_at) if draft else None

    def read(self, conversation_id: str, journey: str) -> dict[str, Any]:
        """What is kept so far; empty where there is no draft."""
        draft = self.kept(conversation_id, journey)
        return draft.fields if draft else {}

    def newest(self, conversation_id: str) -> str | None:
        """The journey that was left last; None where none is."""
        left = select(Draft.journey).where(Draft.conversation_id == conversation_id).order_by(Draft.updated_at.desc())
        with self._database.session() as session:
            return session.scalars(left).first()

    def write(self, conversation_id: str, journey: str, fields: dict[str, Any]) -> None:
        values = {"fields": self._encryption.seal(fields), "updated_at": utc_now()}
        with self._database.session() as session:
            hold(session, conversation_id)
            changed = session.execute(_CHANGE, {"conversation": conversation_id, "of": journey, **values})
            if not changed.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
                session.execute(_ADD, {"conversation_id": conversation_id, "journey": journey, **values})

    def drop(self, conversation_id: str, journey: str) -> None:
        with self._database.session() as session:
            hold(session, conversation_id)
            session.execute(delete(Draft).where(Draft.conversation_id == conversation_id, Draft.journey == journey))
