"""Tables of what staff teach the assistant: what a message really meant, and the batches in which that goes out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, BigId


class TeachingBatch(Base):
    """Decisions of one person, handed to a second one, who lets them go out or gives them back."""

    __tablename__ = "teaching_batches"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    made_by: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), index=True)
    reviewed_by: Mapped[str | None] = mapped_column(String(40))
    reviewed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")


class TeachingDecision(Base):
    """What a citizen's message meant. It goes when the message does: a citizen who deletes a conversation deletes this, too."""

    __tablename__ = "teaching_decisions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    """Unique: of two people who decide on a message at once, one is first."""
    text: Mapped[str] = mapped_column(Text)
    """Masked, and cleared of what else names a person by whoever decided."""
    intent: Mapped[str | None] = mapped_column(String(40))
    """Empty where the message was set aside: nothing can be learned from it."""
    topic: Mapped[str | None] = mapped_column(String(60))
    decided_by: Mapped[str] = mapped_column(String(40), index=True)
    decided_at: Mapped[datetime]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("teaching_batches.id"), index=True)
