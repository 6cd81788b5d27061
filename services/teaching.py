"""What the assistant can learn from: citizens' messages by the value of a person's decision, and those decisions.

Nothing is learned here. Decisions wait until their author hands them on as a batch (services/teaching_batches.py).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.audit import AuditLog
from services.conversation_log import LOW_RATING
from services.handoff import State
from services.knowledge_files import TOPICS
from services.privacy import mask
from services.refused import Refused
from services.ticket_events import Happening
from services.training_files import files_of_intents
from services.turn import AnswerStatus
from store.database import Database, utc_now
from store.models import Handoff, Message
from store.teaching_models import TeachingDecision
from store.ticket_models import Ticket, TicketEvent

QUESTION, OUT_OF_SCOPE = "ask_information", "out_of_scope"
FALLBACK = "nlu_fallback"
WINDOW = 50_000
"""Only so many of the newest messages are looked at."""
MOST_CANDIDATES = 2000
UNSURE_UNDER, CLOSE_UNDER = 0.6, 0.2
"""A probability, and a lead over the second intent, that say: it might as well have been another."""
LONGEST = 500
"""Characters of a text that is learned from; longer ones are stories with more than one meaning."""
STAND_IN_ONLY = re.compile(r"\s*(?:\[[^\[\]]*\]\s*)+")


class Reason(StrEnum):
    """Why a person should look at a message."""

    CONTRADICTED = "contradicted"
    """The citizen's next words said that the answer was wrong or bad."""
    RATED_LOW = "rated_low"
    ABSTAINED = "abstained"
    ASKED_AGAIN = "asked_again"
    NOT_KNOWN = "not_known"
    UNSURE = "unsure"
    CLOSE = "close"
    """Two intents were nearly as likely."""
    DISAGREED = "disagreed"
    """Spelling, meaning and nearest examples each by itself spoke for different intents."""


WEIGHTS = {
    Reason.CONTRADICTED: 4.0,
    Reason.ABSTAINED: 3.0,
    Reason.RATED_LOW: 2.0,
    Reason.ASKED_AGAIN: 2.0,
    Reason.CLOSE: 1.5,
    Reason.UNSURE: 1.5,
    Reason.NOT_KNOWN: 1.0,
    Reason.DISAGREED: 0.5,
}
OF_STATUS = {
    AnswerStatus.ABSTAINED: Reason.ABSTAINED,
    AnswerStatus.ASKED_AGAIN: Reason.ASKED_AGAIN,
    AnswerStatus.NOT_KNOWN: Reason.NOT_KNOWN,
}
CONTRADICTIONS = ("correct_answer", "criticise_bot")
NEVER = (AnswerStatus.IN_FORM, AnswerStatus.HANDED_OVER)
"""Answers to a form's question, and words to an officer, tell nothing about intents."""


class TeachingProblem(StrEnum):
    UNKNOWN_LABEL = "unknown_label"
    TEXT_LENGTH = "text_length"
    DECIDED_ALREADY = "decided_already"
    NOTHING_TO_UNDO = "nothing_to_undo"
    NOTHING_TO_HAND_ON = "nothing_to_hand_on"
    OWN_BATCH = "own_batch"
    REVIEWED_ALREADY = "reviewed_already"
    NOTHING_KEPT = "nothing_kept"


class TeachingRefused(Refused[TeachingProblem]):
    """A decision or batch that can't be made, or not by this person."""


@dataclass(frozen=True)
class Candidate:
    message_id: int
    conversation_id: str
    text: str
    times: int
    """How many messages say the same."""
    value: float
    reasons: list[Reason]
    intent: str | None
    confidence: float | None
    ranking: list[str]
    """Intents, the likeliest first; empty for messages from before the ranking was kept."""
    at: datetime


@dataclass(frozen=True)
class Context:
    before: str
    """What the assistant had said last."""
    answers: list[str]


class Teaching:
    def __init__(self, database: Database, audit: AuditLog, project: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._audit = audit
        self._folder = project / "data" / "nlu"
        self._clock = clock

    def intents(self) -> list[str]:
        """What can be decided on: the intents that have training examples."""
        return sorted(files_of_intents(self._folder))

    def queue(self) -> list[Candidate]:
        """What nobody has decided on yet, the most valuable first. Messages of the same words stand once."""
        with self._database.session() as session:
            lowest = (session.scalar(select(func.max(Message.id))) or 0) - WINDOW
            contradicted = _contradicted(session, lowest)
            rated_low = _rated_low(session)
            found = list(session.scalars(_candidates(lowest, contradicted, rated_low)))
            known = {same_words(text) for text in session.scalars(select(TeachingDecision.text))}
        together: dict[str, list[Message]] = defaultdict(list)
        for message in found:
            together[same_words(message.text)].append(message)
        candidates = []
        for words, messages in together.items():
            newest = messages[0]
            reasons = _reasons(newest, newest.id in contradicted, newest.conversation_id in rated_low)
            if words in known or not reasons or STAND_IN_ONLY.fullmatch(newest.text):
                continue
            value = sum(WEIGHTS[reason] for reason in reasons) * (1 + math.log(len(messages)))
            candidates.append(_candidate(newest, len(messages), value, reasons))
        return sorted(candidates, key=lambda one: (-one.value, -one.message_id))

    def context(self, candidate: Candidate) -> Context:
        """What was said around the message, masked."""
        with self._database.session() as session:
            message = session.get_one(Message, candidate.message_id)
            earlier = select(Message.text).where(
                Message.conversation_id == message.conversation_id, Message.seq < message.seq, Message.author == "bot"
            )
            answers = session.scalars(select(Message.text).where(Message.reply_to == message.id).order_by(Message.seq))
            return Context(session.scalar(earlier.order_by(Message.seq.desc()).limit(1)) or "", list(answers))

    def decide(self, login: str, message_id: int, intent: str, topic: str = "", text: str | None = None) -> None:
        """Say what a message meant. `text` is what may be learned from it, where the message holds more than that.

        Raises `TeachingRefused`, and KeyError where the message is gone or closed to staff.
        """
        if intent not in self.intents() or (topic and (intent != QUESTION or topic not in TOPICS)):
            raise TeachingRefused(TeachingProblem.UNKNOWN_LABEL)
        self._store(login, message_id, intent, topic or None, text)
        self._audit.record(login, "teach.decided", str(message_id), intent=intent, **({"topic": topic} if topic else {}))

    def set_aside(self, login: str, message_id: int) -> None:
        """Nothing can be learned from it: it leaves the queue. Raises as `decide`."""
        self._store(login, message_id, None, None, None)
        self._audit.record(login, "teach.set_aside", str(message_id))

    def undo(self, login: str) -> TeachingDecision:
        """Take back one's own last decision that is in no batch yet; it. Raises `TeachingRefused`."""
        with self._database.durable_session() as session:
            last = session.scalar(_open_decisions(login).order_by(TeachingDecision.id.desc()).limit(1))
            if last is None:
                raise TeachingRefused(TeachingProblem.NOTHING_TO_UNDO)
            session.delete(last)
        self._audit.record(login, "teach.undone", str(last.message_id))
        return last

    def last(self, login: str) -> TeachingDecision | None:
        """What `undo` would take back."""
        with self._database.session() as session:
            return session.scalar(_open_decisions(login).order_by(TeachingDecision.id.desc()).limit(1))

    def decided_by(self, login: str) -> list[TeachingDecision]:
        """One's own decisions that are in no batch yet, the newest first; not what was set aside."""
        query = _open_decisions(login).where(TeachingDecision.intent.is_not(None)).order_by(TeachingDecision.id.desc())
        with self._database.session() as session:
            return list(session.scalars(query))

    def _store(self, login: str, message_id: int, intent: str | None, topic: str | None, text: str | None) -> None:
        try:
            with self._database.durable_session() as session:
                message = session.scalar(select(Message).where(Message.id == message_id, *_open_to_teaching()))
                if message is None:
                    raise KeyError(message_id)
                words = one_line(mask(message.text if text is None else text).text)
                if intent and not 1 <= len(words) <= LONGEST:
                    raise TeachingRefused(TeachingProblem.TEXT_LENGTH)
                decision = TeachingDecision(
                    message_id=message_id,
                    text=words[:LONGEST],
                    intent=intent,
                    topic=topic,
                    decided_by=login,
                    decided_at=self._clock(),
                )
                session.add(decision)
        except IntegrityError as taken:
            raise TeachingRefused(TeachingProblem.DECIDED_ALREADY) from taken


def one_line(text: str) -> str:
    """`text` with every run of white space and control characters as one space."""
    return " ".join(re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+", " ", text).split())


def same_words(text: str) -> str:
    """What two messages share that say the same, but for capitals, spaces and final signs."""
    return one_line(text).casefold().strip(" .?!")


def _open_decisions(login: str) -> Select[tuple[TeachingDecision]]:
    return select(TeachingDecision).where(TeachingDecision.decided_by == login, TeachingDecision.batch_id.is_(None))


def _candidates(lowest: int, contradicted: set[int], rated_low: set[str]) -> Select[tuple[Message]]:
    doubtful = or_(
        Message.status.in_(list(OF_STATUS)),
        Message.confidence < UNSURE_UNDER,
        Message.turn["favourites"].as_string().is_not(None),
        Message.id.in_(contradicted),
        Message.conversation_id.in_(rated_low),
    )
    return (
        select(Message)
        .where(Message.id > lowest, *_open_to_teaching(), doubtful, ~exists().where(TeachingDecision.message_id == Message.id))
        .order_by(Message.id.desc())
        .limit(MOST_CANDIDATES)
    )


def _open_to_teaching() -> tuple[ColumnElement[bool], ...]:
    """What a citizen said in a conversation that staff may read, other than to a form's question or to an officer."""
    closed = select(Handoff.conversation_id).where(Handoff.state != State.ENDED, Handoff.agreed.is_not(True))
    said = Message.author == "user", Message.intent.is_not(None), Message.status.not_in(NEVER)
    return *said, Message.conversation_id.not_in(closed)


def _contradicted(session: Session, lowest: int) -> set[int]:
    """Ids of the messages whose answer the citizen's next message called wrong or bad."""
    said = select(Message.conversation_id, Message.seq).where(Message.id > lowest, Message.intent.in_(CONTRADICTIONS))
    found = set()
    for conversation_id, seq in session.execute(said.order_by(Message.id.desc()).limit(MOST_CANDIDATES)):
        before = select(Message.id).where(
            Message.conversation_id == conversation_id,
            Message.seq < seq,
            Message.author == "user",
            Message.intent.not_in(CONTRADICTIONS),
        )
        found.add(session.scalar(before.order_by(Message.seq.desc()).limit(1)))
    return {one for one in found if one is not None}


def _rated_low(session: Session) -> set[str]:
    """The latest conversations whose citizen rated the answer to a ticket low."""
    rated = select(TicketEvent.data, Ticket.conversation_id).join(Ticket, Ticket.id == TicketEvent.ticket_id)
    newest = rated.where(TicketEvent.name == Happening.RATED).order_by(TicketEvent.at.desc()).limit(MOST_CANDIDATES)
    return {conversation_id for data, conversation_id in session.execute(newest) if data.get("score", LOW_RATING + 1) <= LOW_RATING}


def _reasons(message: Message, contradicted: bool, rated_low: bool) -> list[Reason]:
    reasons = [Reason.CONTRADICTED] if contradicted else []
    reasons += [Reason.RATED_LOW] if rated_low and message.intent == QUESTION else []
    reasons += [reason for status, reason in OF_STATUS.items() if message.status == status]
    ranked = _ranking(message)
    best = ranked[0][1] if ranked else message.confidence
    if best is not None and best < UNSURE_UNDER and message.intent != FALLBACK:
        reasons.append(Reason.UNSURE)
    if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < CLOSE_UNDER:
        reasons.append(Reason.CLOSE)
    if (message.turn or {}).get("favourites"):
        reasons.append(Reason.DISAGREED)
    return reasons


def _ranking(message: Message) -> list[tuple[str, float]]:
    ranking: Sequence[tuple[str, float]] = (message.turn or {}).get("ranking") or []
    return [(name, confidence) for name, confidence in ranking if name != FALLBACK]


def _candidate(message: Message, times: int, value: float, reasons: list[Reason]) -> Candidate:
    return Candidate(
        message_id=message.id,
        conversation_id=message.conversation_id,
        text=message.text,
        times=times,
        value=value,
        reasons=reasons,
        intent=message.intent,
        confidence=message.confidence,
        ranking=[name for name, _ in _ranking(message)],
        at=message.at,
    )
