"""Tables of the staff: accounts, where they are signed in, what they have read, and the record of what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, BigId


class StaffMember(Base):
    """Somebody who may sign in at the desk."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    login: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(200), unique=True)
    """In small letters: by which an identity provider names the member."""
    role: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(2), default="id")
    password_hash: Mapped[str] = mapped_column(String(200))
    password_is_temporary: Mapped[bool]
    """Somebody else has seen it: the one who made the account, or a terminal."""
    totp: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted: the secret of the second factor, once it is in use."""
    totp_last_step: Mapped[int | None] = mapped_column(BigId)
    """The time step of the last code that was accepted: a code works once."""
    recovery_code_hashes: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class DeskSession(Base):
    """A signed-in browser. The browser holds the token, the table only its hash."""

    __tablename__ = "desk_sessions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    browser: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CalendarFeed(Base):
    """A member's own address of the calendar of due dates; a new one, or none, ends the old."""

    __tablename__ = "calendar_feeds"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]


class Reading(Base):
    """Up to which message a member of staff has read a conversation."""

    __tablename__ = "readings"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True, index=True)
    seq: Mapped[int]


class AuditEntry(Base):
    """What a member of staff did, in a chain of hashes: changing or taking out an entry breaks the chain."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(80), index=True)
    action: Mapped[str] = mapped_column(String(40), index=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    """A ticket number, a conversation id, a login name: what it was done to."""
    reason: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Unique, so that of two entries written at once only one can follow an older one."""
    hash: Mapped[str] = mapped_column(String(64))
