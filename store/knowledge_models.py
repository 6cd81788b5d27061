"""The table of what staff write for the assistant to say: drafts, and every version that was ever published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, BigId


class KnowledgeVersion(Base):
    """One text of one entry. What has a number of `publication` never changes again; the highest one of an entry is in force."""

    __tablename__ = "knowledge_versions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    entry_id: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10), index=True)
    form: Mapped[dict[str, Any]]
    """The fields as the editor filled them, complete or not."""
    content: Mapped[str | None] = mapped_column(Text)
    """The text of the knowledge file; empty for a draft that is not complete, and where the entry is withdrawn."""
    is_new: Mapped[bool]
    """A draft of an entry that was not there: its id may still be chosen."""
    withdraws: Mapped[bool]
    probes: Mapped[list[str]] = mapped_column(JSON)
    """Questions with which the draft is tried out."""
    authors: Mapped[list[str]] = mapped_column(JSON)
    """Everybody who wrote at it; none of them may publish it."""
    note: Mapped[str] = mapped_column(Text)
    based_on: Mapped[int]
    """The entry's newest publication when the draft was begun; 0 where it was a file or nothing."""
    file_hash: Mapped[str] = mapped_column(String(64))
    """Of the entry's file when this was published: a file that was changed since may say something newer."""
    changed_at: Mapped[datetime]
    publication: Mapped[int | None] = mapped_column(unique=True)
    """Counts over all entries, so that one number tells every process whether something is new."""
    published_by: Mapped[str | None] = mapped_column(String(40))
    published_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_knowledge_versions_entry", "entry_id", "publication"),)
