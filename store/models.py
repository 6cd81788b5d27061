"""Tables. Times are stored in UTC; personal fields are stored encrypted, never as readable columns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime, dict[str, Any]: JSON, list[dict[str, Any]]: JSON}


class Conversation(Base):
    """One citizen on one channel. `id` is also Rasa's sender id."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    address_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Keyed hash of the channel's own address (a Telegram chat id), to find the conversation again."""
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The same address encrypted, to be able to write to the citizen."""
    locale: Mapped[str] = mapped_column(String(2))
    awaited_field: Mapped[str | None] = mapped_column(String(40))
    """The form field that the last message asked for; decides what may be logged of the answer."""
    created_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    forgotten_seq: Mapped[int] = mapped_column(server_default="0", default=0)
    """Numbers up to this belonged to deleted messages; they are not used again, for clients follow a conversation by number."""
    unreachable_since: Mapped[datetime | None]
    """When the channel refused a message for good: the bot is blocked, the account deleted. Empty once the citizen is back."""


class Message(Base):
    """One message in a conversation, masked. `seq` counts from 1 within the conversation."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    seq: Mapped[int]
    author: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    buttons: Mapped[list[dict[str, Any]]]
    sources: Mapped[list[dict[str, Any]]]
    at: Mapped[datetime]
    external_id: Mapped[str | None] = mapped_column(String(64))
    """The channel's id of a citizen's message; the same id again is the same message."""
    reply_to: Mapped[int | None] = mapped_column(BigId)
    """For a bot's message: the citizen's message that it answers."""
    hidden: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted: stand-ins in `text` and the values that the citizen sees in their place."""
    turn: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """For an answered citizen's message: intent, confidence, topic, answer status, duration in ms."""
    status: Mapped[str | None] = mapped_column(String(16))
    intent: Mapped[str | None] = mapped_column(String(40))
    topic: Mapped[str | None] = mapped_column(String(60))
    confidence: Mapped[float | None]
    """These four stand in `turn` as well; here they can be filtered by. The words of `text` are indexed by migration 0018."""

    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "external_id"),
        Index("ix_messages_reply_to", "reply_to"),
        *(
            Index(f"ix_messages_{name}", name, "conversation_id", sqlite_where=filled, postgresql_where=filled)
            for name, filled in ((name, text(f"{name} IS NOT NULL")) for name in ("status", "intent", "topic"))
        ),
        Index("ix_messages_at", "at"),
    )


class Button(Base):
    """A button that the server has issued: only these can carry a command."""

    __tablename__ = "buttons"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(200))
    payload: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime]


class TrackerEvent(Base):
    """The events that one turn added to Rasa's tracker, as a JSON list. `session` counts the Rasa sessions of a conversation."""

    __tablename__ = "tracker_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(String(64))
    session: Mapped[int]
    data: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_tracker_events_conversation", "conversation_id", "session", "id"),)


class Draft(Base):
    """What a citizen has given so far in a form that is not sent yet, encrypted."""

    __tablename__ = "drafts"

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    journey: Mapped[str] = mapped_column(String(40), primary_key=True)
    fields: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime]


class DailyFigure(Base):
    """How often something happened on a past day in Jakarta (services/daily_figures.py). It names nobody and is not deleted."""

    __tablename__ = "daily_figures"

    day: Mapped[date] = mapped_column(primary_key=True)
    figure: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    """Which status, channel, hour or topic; empty where the figure has no parts."""
    count: Mapped[int]


class Lease(Base):
    """Who may do a job until when: one process of many."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(40))
    until: Mapped[datetime]


class QueuedTurn(Base):
    """A message's place in the queue of its conversation, over all processes (store/turn_queue.py); only on PostgreSQL."""

    __tablename__ = "queued_turns"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime]
    """Renewed while its process lives."""

    __table_args__ = (Index("ix_queued_turns_conversation", "conversation_id", "id"),)


class ModelChoice(Base):
    """Which trained model is to be served from when on: the newest row counts, in every process."""

    __tablename__ = "model_choices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    version: Mapped[str | None] = mapped_column(String(40))
    """The fingerprint in the file's name; None: the newest file of the folder."""
    at: Mapped[datetime]


OPEN = text("state <> 'ended'")


class Handoff(Base):
    """A citizen's wish to talk to an officer, from the queue to its end; at most one of a conversation is open."""

    __tablename__ = "handoffs"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(10), index=True)
    outcome: Mapped[str | None] = mapped_column(String(12))
    """How it ended."""
    officer: Mapped[str | None] = mapped_column(String(80))
    agreed: Mapped[bool | None]
    """Whether the officer may read what was said before; no answer counts as no."""
    urgent: Mapped[bool]
    """A message spoke of danger to life."""
    asked_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    taken_seq: Mapped[int | None]
    """Number of the newest message when an officer took it: without agreement only later ones are shown."""
    ended_at: Mapped[datetime | None]
    typed_at: Mapped[datetime | None]
    """When the officer was last seen writing; empty once the message is sent."""

    __table_args__ = (Index("ix_handoffs_open", "conversation_id", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),)


class HandoffEvent(Base):
    """What happened to a hand-off, in order: who, when, what. Also the list of what the citizen has to be told yet."""

    __tablename__ = "handoff_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    handoff_id: Mapped[int] = mapped_column(ForeignKey("handoffs.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(80))
    data: Mapped[dict[str, Any]]
    claimed_at: Mapped[datetime | None]
    """When a process began to tell the citizen; it has a few minutes before another may try."""
    told_at: Mapped[datetime | None] = mapped_column(index=True)
    """Empty until the citizen has been told; that of an event that needs no telling is its own time."""


class Attempt(Base):
    """Failed tries against one key (a hashed SIMPEL or ticket number, or a conversation)."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class SimpelRequest(Base):
    """The built-in SIMPEL table: demo data, or what the ministry copies in. No traveller's data on purpose."""

    __tablename__ = "simpel_requests"

    number: Mapped[str] = mapped_column(String(80), primary_key=True)
    access_code_hash: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20))
    changed_on: Mapped[date]


UNFINISHED = text("content IS NOT NULL")


class TelegramUpdate(Base):
    """An update from Telegram: stored before it is acknowledged, kept without its content once it is dealt with."""

    __tablename__ = "telegram_updates"

    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Encrypted; empty once the update is dealt with."""
    begun: Mapped[int] = mapped_column(default=0, server_default="0")
    """Number of the message of the answer that was last handed to Telegram, noted before the call."""
    sent: Mapped[int] = mapped_column(default=0)
    """How many messages of the answer Telegram has taken, noted after the call."""
    key: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    """For an update that may happen only once in its way, such as the press of a keyboard: a fingerprint."""
    chat: Mapped[str | None] = mapped_column(String(64))
    """Fingerprint of the chat, until the update is dealt with."""
    holder: Mapped[str | None] = mapped_column(String(32))
    """The process that works on it."""
    held_until: Mapped[datetime | None]
    """From then on another process may take it; empty where none has it."""
    received_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (Index("ix_telegram_updates_open", "chat", "update_id", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),)


class DeskSetting(Base):
    """What staff have set at the desk (services/desk_settings.py); where there is no row, the default holds."""

    __tablename__ = "desk_settings"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(80))


class CannedReply(Base):
    """A ready reply of officers, by its short name; `texts` maps languages to words with variables."""

    __tablename__ = "canned_replies"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    texts: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(80))


class ConversationNote(Base):
    """What officers tell each other about a conversation; the citizen never sees it."""

    __tablename__ = "conversation_notes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    officer: Mapped[str] = mapped_column(String(40))
    text: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted: it may say more of a person than the masked messages do."""
    at: Mapped[datetime]


class JobRun(Base):
    """The last run of a scheduled job, for those who look after the program."""

    __tablename__ = "job_runs"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    milliseconds: Mapped[int]
    error: Mapped[str | None] = mapped_column(String(80))
    """Name of the error; empty after a run without one."""
    failed_at: Mapped[datetime | None]
    """When it last failed, however it went since."""
