"""Conversations and their messages, masked, with the replies of each turn."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import String, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import Base, Button, Conversation, ConversationNote, Draft, Handoff, Message, TrackerEvent
from store.notices import NoticeState
from store.offered import newest_offered, offered_under
from store.ticket_models import Notice
from store.turn_queue import hold

T = TypeVar("T")
TRIES_FOR_A_NUMBER = 20
READ_AT_ONCE = 500
DELETED_AT_ONCE = 50
"""Conversations of one transaction, so that a turn never waits long for it."""
OF_CONVERSATION = (Message, Button, TrackerEvent, Draft, Handoff, ConversationNote)
"""What is deleted with a conversation's messages."""


@dataclass(frozen=True)
class Reply:
    """A bot's message to be stored. `buttons` are (label, payload); `hidden` maps stand-ins in `text` to what is seen."""

    text: str
    buttons: Sequence[tuple[str, str]] = ()
    sources: Sequence[dict[str, Any]] = ()
    hidden: dict[str, str] | None = None


@dataclass(frozen=True)
class Opening:
    """Where a conversation stands when a message comes in."""

    conversation: Conversation
    known: Message | None
    """This very message, if it was stored before."""
    replies: list[Message]
    """What was answered to it."""
    offered: list[Button]
    """The buttons under the newest message before this one, in their order; none once the citizen has written since."""
    next_seq: int
    """The number that the next message gets, unless somebody else writes meanwhile."""
    tracker_row: int
    """The newest row of the conversation in the tracker store; 0 where there is none."""
    handed_off: bool
    """Whether a hand-off to an officer is open."""


@dataclass(frozen=True)
class Received:
    """A citizen's message in the log."""

    id: int
    seq: int


_THIS = bindparam("conversation", type_=String)
_BEGINNING = select(
    Conversation,
    select(func.max(TrackerEvent.id)).where(TrackerEvent.conversation_id == _THIS).scalar_subquery(),
    exists().where(Handoff.conversation_id == _THIS, Handoff.state != "ended"),
).where(Conversation.id == _THIS)
_NEWEST = select(func.max(Message.seq)).where(Message.conversation_id == _THIS).scalar_subquery()
_NEWEST_AND_KNOWN = select(Message).where(
    Message.conversation_id == _THIS, or_(Message.external_id == bindparam("external"), Message.seq == _NEWEST)
)

# The tables themselves: an ORM's bookkeeping costs more than all else in a statement, and a turn has several of them.
_MESSAGES, _BUTTONS, _EVENTS, _CONVERSATIONS = (
    Base.metadata.tables[model.__tablename__] for model in (Message, Button, TrackerEvent, Conversation)
)
_ADD_MESSAGE = insert(_MESSAGES).returning(_MESSAGES.c.id)
_ADD_MESSAGES, _ADD_BUTTONS = insert(_MESSAGES), insert(_BUTTONS)
_ADD_EVENTS = insert(_EVENTS).returning(_EVENTS.c.id)
_NOTE_TURN = update(_MESSAGES).where(_MESSAGES.c.id == bindparam("answered"))
_LOCK = select(_CONVERSATIONS.c.id).where(_CONVERSATIONS.c.id == _THIS).with_for_update(key_share=True)
_NOTE_STATE = update(_CONVERSATIONS).where(_CONVERSATIONS.c.id == _THIS)


class Conversations:
    def __init__(self, database: Database, encryption: Encryption, tell: Callable[[str], None] = lambda _: None) -> None:
        """`tell` wakes who listens to a topic; here, to the id of a conversation in which there is something new to see."""
        self._database = database
        self._encryption = encryption
        self.tell = tell

    def open(self, channel: str, locale: str, address: str | None = None) -> Conversation:
        """The conversation with this address, or a new one; the same for two who open it at once."""
        fingerprint = self._encryption.fingerprint("address", channel, address) if address else None
        known = select(Conversation).where(Conversation.address_hash == fingerprint)
        now = utc_now()
        conversation = Conversation(
            id=secrets.token_hex(16),
            channel=channel,
            address_hash=fingerprint,
            address=self._encryption.seal(address) if address else None,
            locale=locale,
            created_at=now,
            last_at=now,
        )
        try:
            with self._database.session() as session:
                found = session.scalar(known) if fingerprint else None
                if found is None:
                    session.add(conversation)
                return found or conversation
        except IntegrityError:  # somebody else was first
            with self._database.session() as session:
                return session.scalars(known).one()

    def get(self, conversation_id: str) -> Conversation | None:
        with self._database.session() as session:
            return session.get(Conversation, conversation_id)

    def after(self, conversation_id: str, seq: int, limit: int = READ_AT_ONCE) -> list[Message]:
        """The first messages behind number `seq`, in order; who wants all asks again behind the last one."""
        with self._database.session() as session:
            query = select(Message).where(Message.conversation_id == conversation_id, Message.seq > seq)
            return list(session.scalars(query.order_by(Message.seq).limit(limit)))

    def newest(self, conversation_id: str, after: int = 0, limit: int = READ_AT_ONCE) -> list[Message]:
        """The last messages behind number `after`, in order."""
        with self._database.session() as session:
            query = select(Message).where(Message.conversation_id == conversation_id, Message.seq > after)
            return list(session.scalars(query.order_by(Message.seq.desc()).limit(limit)))[::-1]

    def newest_id(self) -> int:
        """The id of the newest message of all conversations; 0 where there is none."""
        with self._database.session() as session:
            return session.scalar(select(func.max(Message.id))) or 0

    def spoken_in(self, after_id: int, limit: int = 5000) -> list[tuple[int, str]]:
        """Ids above `after_id` of messages of all conversations with the conversations they are in, in order."""
        with self._database.session() as session:
            query = select(Message.id, Message.conversation_id).where(Message.id > after_id).order_by(Message.id).limit(limit)
            return [(id_, conversation) for id_, conversation in session.execute(query)]

    def newest_seq(self, conversation_id: str) -> int:
        """The number of the newest message; 0 where there is none."""
        with self._database.session() as session:
            return self._next_seq(session, conversation_id) - 1

    def begin_turn(self, conversation_id: str, external_id: str) -> Opening | None:
        """All that a turn needs to know before it starts; None for an unknown conversation."""
        with self._database.session() as session:
            row = session.execute(_BEGINNING, {"conversation": conversation_id}).first()
            if row is None:
                return None
            conversation, tracker_row, handed_off = row
            here = list(session.scalars(_NEWEST_AND_KNOWN, {"conversation": conversation_id, "external": external_id}))
            known = next((message for message in here if message.external_id == external_id), None)
            newest = max(here, key=lambda message: message.seq, default=None)
            replies = session.scalars(select(Message).where(Message.reply_to == known.id).order_by(Message.seq)) if known else ()
            before = newest
            if known is not None and newest is known:  # it comes again, unanswered: what it answers stands before it
                earlier = select(Message).where(Message.conversation_id == conversation_id, Message.seq < known.seq)
                before = session.scalar(earlier.order_by(Message.seq.desc()).limit(1))
            return Opening(
                conversation=conversation,
                known=known,
                replies=list(replies),
                offered=offered_under(session, before),
                next_seq=(newest.seq if newest else conversation.forgotten_seq) + 1,
                tracker_row=tracker_row or 0,
                handed_off=handed_off,
            )

    def offered_last(self, conversation_id: str, written_since: int) -> list[Button]:
        """The buttons under the newest message that has any, where the citizen has not written more than so often since."""
        with self._database.session() as session:
            return newest_offered(session, conversation_id, written_since)

    def button(self, conversation_id: str, button_id: str) -> Button | None:
        """A button that was issued in this very conversation."""
        with self._database.session() as session:
            button = session.get(Button, button_id)
        return button if button and button.conversation_id == conversation_id else None

    def written_since(self, button: Button, but: str) -> bool:
        """Whether the citizen has written since the button was issued, other than the message with the external id `but`."""
        mine = (Message.conversation_id == button.conversation_id) & (Message.author == "user") & (Message.at > button.issued_at)
        other = or_(Message.external_id.is_(None), Message.external_id != but)
        with self._database.session() as session:
            return bool(session.scalar(select(exists().where(mine, other))))

    def note_reachable(self, channel: str, address: str, is_reachable: bool) -> None:
        """Note that the citizen at this address has gone, or is back: then notices that were kept are on their way again."""
        fingerprint = self._encryption.fingerprint("address", channel, address)
        here = Conversation.address_hash == fingerprint
        with self._database.session() as session:
            if not is_reachable:
                gone = update(Conversation).where(here, Conversation.unreachable_since.is_(None))
                session.execute(gone.values(unreachable_since=utc_now()))
                return
            session.execute(update(Conversation).where(here).values(unreachable_since=None))
            kept = Notice.conversation_id.in_(select(Conversation.id).where(here)) & Notice.message_id.is_not(None)
            again = update(Notice).where(kept, Notice.state == NoticeState.REFUSED)
            session.execute(again.values(state=NoticeState.STORED).execution_options(synchronize_session=False))

    def add_inbound(self, conversation_id: str, external_id: str, text: str, likely_seq: int | None = None) -> Received:
        """Store a citizen's masked message."""

        def write(session: Session, seq: int) -> Received:
            values = {**_values(conversation_id, seq, "user", Reply(text), utc_now()), "external_id": external_id}
            return Received(session.connection().execute(_ADD_MESSAGE, values).scalar_one(), seq)

        return self.append(conversation_id, write, likely_seq=likely_seq)

    def add(self, session: Session, conversation_id: str, seq: int, author: str, reply: Reply) -> Message:
        """A message of a person at the ministry, in a transaction of `append`."""
        hidden = self._encryption.seal(reply.hidden) if reply.hidden else None
        message = Message(**_values(conversation_id, seq, author, reply, utc_now()), hidden=hidden)
        session.add(message)
        return message

    def add_replies(
        self,
        conversation_id: str,
        replies: Sequence[Reply],
        *,
        reply_to: int | None = None,
        turn: dict[str, Any] | None = None,
        awaited_field: str | None = None,
        tracker_row: dict[str, Any] | None = None,
        likely_seq: int | None = None,
        last: bool = False,
        finished: Sequence[str] = (),
    ) -> tuple[list[Message], int]:
        """Store a turn's replies, what is known of the turn and what it added to Rasa's tracker, in one transaction.

        `last`: the turn ends with it. `finished`: journeys whose drafts go. Returns the messages and the id of the tracker's row (0
        where there was nothing to add).
        """
        now = utc_now()

        def write(session: Session, seq: int) -> tuple[list[Message], int]:
            execute = session.connection().execute  # without the session's part, a fifth of the time
            rows = [self._reply_values(conversation_id, seq + n, reply, reply_to, now) for n, reply in enumerate(replies)]
            issued = [button for _, buttons in rows for button in buttons]
            if issued:
                execute(_ADD_BUTTONS, issued)
            if rows:
                execute(_ADD_MESSAGES, [values for values, _ in rows])
            if reply_to is not None:
                filters = {name: (turn or {}).get(name) for name in ("status", "intent", "topic", "confidence")}
                execute(_NOTE_TURN, {"answered": reply_to, "turn": turn, **filters})
            if finished:
                execute(delete(Draft).where(Draft.conversation_id == conversation_id, Draft.journey.in_(finished)))
            row_id = execute(_ADD_EVENTS, tracker_row).scalar_one() if tracker_row else 0
            execute(_NOTE_STATE, {"conversation": conversation_id, "last_at": now, "awaited_field": awaited_field})
            return [Message(**values) for values, _ in rows], row_id

        # What the citizen gets to see as answered is on the disk, and by it all that the turn has written before.
        return self.append(conversation_id, write, durable=True, likely_seq=likely_seq, last=last)

    def append(
        self,
        conversation_id: str,
        write: Callable[[Session, int], T],
        *,
        durable: bool = False,
        likely_seq: int | None = None,
        last: bool = False,
    ) -> T:
        """Run `write(session, next number)` in one transaction; again where somebody else took the number meanwhile.

        Citizen, assistant and officer write into the same conversation, from threads and processes that don't wait for each other.
        `likely_seq`, where the caller has just seen the newest number, saves asking for it. `last`: a turn ends with it. In a turn,
        raises `TurnLost` where another process has it now.
        """
        for tries_left in reversed(range(TRIES_FOR_A_NUMBER)):
            try:
                with self._database.durable_session() if durable else self._database.session() as session:
                    hold(session, conversation_id, last=last)
                    if tries_left < TRIES_FOR_A_NUMBER - 1:  # who is slow to write would lose every number to who is quick
                        session.execute(_LOCK, {"conversation": conversation_id})
                    written = write(session, likely_seq or self._next_seq(session, conversation_id))
            except IntegrityError:
                likely_seq = None
                if not tries_left:
                    raise
            else:
                self.tell(conversation_id)
                return written
        raise AssertionError("the last try returns or raises")

    def add_notice(self, notice_id: int, reply: Reply) -> None:
        """Store a notice as a message of its conversation, once: message and state are one transaction."""
        now = utc_now()
        with self._database.session() as session:
            notice = session.get_one(Notice, notice_id)
        pending = update(Notice).where(Notice.id == notice_id, Notice.state == NoticeState.PENDING)

        def write(session: Session, seq: int) -> None:
            if not session.execute(pending.values(changed_at=now)).rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
                return
            values, issued = self._reply_values(notice.conversation_id, seq, reply, None, now)
            if issued:
                session.execute(_ADD_BUTTONS, issued)
            message_id = session.execute(_ADD_MESSAGE, values).scalar_one()
            address = session.get_one(Conversation, notice.conversation_id).address
            state = NoticeState.STORED if address else NoticeState.SENT
            session.execute(update(Notice).where(Notice.id == notice_id).values(message_id=message_id, state=state))

        self.append(notice.conversation_id, write, durable=True)

    def noticed(self, notice_id: int) -> Message | None:
        """The message that a notice was stored as; None once the citizen has deleted the conversation's messages."""
        with self._database.session() as session:
            return session.scalar(select(Message).join(Notice, Notice.message_id == Message.id).where(Notice.id == notice_id))

    def address(self, conversation_id: str) -> str | None:
        """The channel's own address of the citizen, where it has one to write to."""
        conversation = self.get(conversation_id)
        return str(self._encryption.unseal(conversation.address)) if conversation and conversation.address else None

    def _reply_values(
        self, conversation_id: str, seq: int, reply: Reply, reply_to: int | None, now: datetime
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The columns of a reply and of its buttons, which are issued here."""
        issued = [
            {"id": secrets.token_urlsafe(12), "conversation_id": conversation_id, "label": label, "payload": payload, "issued_at": now}
            for label, payload in reply.buttons
        ]
        values = {
            **_values(conversation_id, seq, "bot", reply, now),
            "buttons": [{"id": button["id"], "label": button["label"]} for button in issued],
            "reply_to": reply_to,
            "hidden": self._encryption.seal(reply.hidden) if reply.hidden else None,
        }
        return values, issued

    def seen_text(self, message: Message) -> str:
        """The text as the citizen sees it, with the values in place of their stand-ins."""
        text = message.text
        for stand_in, value in (self._encryption.unseal(message.hidden) if message.hidden else {}).items():
            text = text.replace(stand_in, value)
        return text

    def forget_messages(self, conversation_id: str, replies: Sequence[Reply] = ()) -> list[Message]:
        """Delete all messages, buttons, tracker events, drafts, hand-offs and notes; the conversation can go on. Tickets stay.

        `replies`, which tell the citizen of it, get the next numbers and are not stored: they are said only when it is done.
        """
        now = utc_now()
        with self._database.durable_session() as session:
            hold(session, conversation_id)
            following = self._next_seq(session, conversation_id)
            rows = [self._reply_values(conversation_id, following + n, reply, None, now) for n, reply in enumerate(replies)]
            values = {"forgotten_seq": following + len(rows) - 1, "awaited_field": None}
            session.execute(update(Conversation).where(Conversation.id == conversation_id).values(values))
            for table in OF_CONVERSATION:
                session.execute(delete(table).where(table.conversation_id == conversation_id))
        return [Message(**values) for values, _ in rows]

    def forget(self, conversation_id: str) -> None:
        """Delete the conversation and everything in it. Tickets stay."""
        self.forget_messages(conversation_id)
        with self._database.durable_session() as session:
            session.execute(delete(Conversation).where(Conversation.id == conversation_id))

    def forget_idle(self, before: datetime, limit: int | None = None) -> int:
        """Delete conversations in which nothing was said since `before`, at most `limit`; how many. Tickets stay."""
        idle = select(Conversation.id).where(Conversation.last_at < before).order_by(Conversation.last_at).limit(limit)
        with self._database.session() as session:
            found = list(session.scalars(idle))
        deleted = 0
        for start in range(0, len(found), DELETED_AT_ONCE):
            some = found[start : start + DELETED_AT_ONCE]
            with self._database.durable_session() as session:
                still_idle = select(Conversation.id).where(Conversation.id.in_(some), Conversation.last_at < before)
                ids = list(session.scalars(still_idle.with_for_update()))
                for table in OF_CONVERSATION:
                    session.execute(delete(table).where(table.conversation_id.in_(ids)))
                session.execute(delete(Conversation).where(Conversation.id.in_(ids)))
                deleted += len(ids)
            self._database.give_way()
        return deleted

    @staticmethod
    def _next_seq(session: Session, conversation_id: str) -> int:
        newest = session.scalar(select(func.max(Message.seq)).where(Message.conversation_id == conversation_id))
        if newest is None:
            newest = session.scalar(select(Conversation.forgotten_seq).where(Conversation.id == conversation_id))
        return (newest or 0) + 1


def _values(conversation_id: str, seq: int, author: str, reply: Reply, now: datetime) -> dict[str, Any]:
    """The columns that every message has."""
    return {
        "conversation_id": conversation_id,
        "seq": seq,
        "author": author,
        "text": reply.text,
        "buttons": [],
        "sources": list(reply.sources),
        "at": now,
    }
