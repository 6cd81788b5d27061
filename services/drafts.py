"""Keeps what a citizen has given so far in a form that is not sent yet, encrypted, one draft a conversation and journey."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete

from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import Draft


class Drafts:
    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def read(self, conversation_id: str, journey: str) -> dict[str, Any]:
        """What is kept so far; empty where there is no draft."""
        with self._database.session() as session:
            draft = session.get(Draft, (conversation_id, journey))
        return dict(self._encryption.unseal(draft.fields)) if draft else {}

    def left_since(self, conversation_id: str, journey: str) -> datetime | None:
        """When the draft was last written; None where there is none."""
        with self._database.session() as session:
            draft = session.get(Draft, (conversation_id, journey))
        return draft.updated_at if draft else None

    def write(self, conversation_id: str, journey: str, fields: dict[str, Any]) -> None:
        draft = Draft(conversation_id=conversation_id, journey=journey, fields=self._encryption.seal(fields), updated_at=utc_now())
        with self._database.session() as session:
            session.merge(draft)

    def drop(self, conversation_id: str, journey: str) -> None:
        with self._database.session() as session:
            session.execute(delete(Draft).where(Draft.conversation_id == conversation_id, Draft.journey == journey))
