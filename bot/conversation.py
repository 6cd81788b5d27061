"""One turn of a conversation, the same for every channel: mask, store, understand, answer, store, hand back.

Two messages of one conversation are never worked on at once, and wait in a bounded queue; two conversations never wait for
each other. What the citizen typed lives in memory for the turn; tracker, log and database see it masked.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from rapidfuzz import fuzz

from bot.assistant import Answer, Assistant, Said
from bot.messages import Button, Inbound, Outbound, Unreadable, clean
from services.commands import find_command, find_ordinal
from services.complaints import CORRUPTION, kind_of
from services.journeys import Journey
from services.privacy import mask
from services.registry import JOURNEYS
from services.status_checks import mask_factors
from services.turn import CURRENT, AnswerStatus, Turn
from store.conversations import Conversations, Opening, Reply
from store.models import Button as IssuedButton
from store.models import Message
from store.tracker import NewEvents

log = structlog.get_logger(__name__)
WAITING_LIMIT = 8
SAME_LABEL = 90
STATUS_OF_INTENT = {
    "out_of_scope": AnswerStatus.DECLINED,
    "crisis": AnswerStatus.CRISIS,
    "correct_answer": AnswerStatus.ASKED_AGAIN,
    "talk_to_officer": AnswerStatus.HANDED_OVER,
}
"""What the fixed answer to an intent amounts to, where no action has said more."""
NOT_COLLECTED = "[isi laporan tidak dicatat]"
"""Stands in tracker and log for a report of corruption, which only those who investigate may read."""
PAYLOAD = re.compile(r"/(\w+)(\{.*\})?", re.DOTALL)


class UnknownConversation(LookupError):
    """There is no conversation with this id, or it was deleted."""


class TooManyWaiting(Exception):
    """This conversation has more messages waiting than anybody types; `sentence` says so to the citizen."""

    def __init__(self, sentence: str) -> None:
        super().__init__("too many messages are waiting")
        self.sentence = sentence


@dataclass
class _Line:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class ConversationService:
    def __init__(self, assistant: Assistant, conversations: Conversations) -> None:
        self._assistant = assistant
        self._conversations = conversations
        self._lines: dict[str, _Line] = {}

    async def greet(self, conversation_id: str, locale: str) -> list[Outbound]:
        """The first words: what this is, and what not to write here."""
        await self._assistant.set_language(conversation_id, locale)
        said = [await self._assistant.sentence(name, locale) for name in ("utter_privacy_note", "utter_greet")]
        return await self._store(conversation_id, said, Turn(conversation_id, ""))

    async def say(self, conversation_id: str, sentence: str) -> list[Outbound]:
        """A sentence of domain.yml outside a turn, in the conversation's language."""
        conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
        said = await self._assistant.sentence(sentence, conversation.locale if conversation else "id")
        awaited = conversation.awaited_field if conversation else None
        return await self._store(conversation_id, [said], Turn(conversation_id, ""), awaited=awaited)

    async def tell(self, conversation_id: str, notice_id: int, notice: Said, hidden: dict[str, str]) -> None:
        """Store a notice in the conversation, once, between two turns. An open form goes on as it was."""
        async with self._turn_of(conversation_id):
            conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
            in_form = conversation is not None and conversation.awaited_field is not None
            # In a form a typed number answers its question and must not press a button of the notice.
            reply = Reply(notice.text, [] if in_form else notice.buttons, hidden=hidden or None)
            await asyncio.to_thread(self._conversations.add_notice, notice_id, reply)

    async def handle(self, inbound: Inbound) -> list[Outbound]:
        """The replies to a message. The same external id again gets the same replies and has no second effect.

        Raises `TooManyWaiting` when the conversation's queue is full, `UnknownConversation` where there is none.
        """
        async with self._turn_of(inbound.conversation_id):
            opening = await asyncio.to_thread(self._conversations.begin_turn, inbound.conversation_id, inbound.external_id)
            if opening is None:
                raise UnknownConversation(inbound.conversation_id)
            if opening.replies:
                return [self.render(message) for message in opening.replies]
            return await self._answer(inbound, opening)

    async def messages_after(self, conversation_id: str, seq: int) -> list[Outbound]:
        return [self.render(m) for m in await asyncio.to_thread(self._conversations.after, conversation_id, seq)]

    async def forget(self, conversation_id: str) -> None:
        async with self._turn_of(conversation_id):
            await asyncio.to_thread(self._conversations.forget, conversation_id)
            self._assistant.forget(conversation_id)

    def render(self, message: Message) -> Outbound:
        buttons = [Button(button["id"], button["label"]) for button in message.buttons]
        text = self._conversations.seen_text(message)
        return Outbound(message.seq, message.author, text, message.at, buttons, message.sources, message.external_id)

    @asynccontextmanager
    async def _turn_of(self, conversation_id: str) -> AsyncIterator[None]:
        line = self._lines.setdefault(conversation_id, _Line())
        if line.waiting >= WAITING_LIMIT:
            raise TooManyWaiting((await self._assistant.sentence("utter_too_fast", "id")).text)
        line.waiting += 1
        try:
            async with line.lock:
                yield
        finally:
            line.waiting -= 1
            if not line.waiting:
                self._lines.pop(conversation_id, None)

    async def _answer(self, inbound: Inbound, opening: Opening) -> list[Outbound]:
        started = time.perf_counter()
        conversation = opening.conversation
        pressed = await self._pressed(inbound, opening.offered)
        if inbound.button is not None and pressed is None:
            return await self._say_only(inbound, opening, "utter_button_gone", "[tombol]")
        text = clean(pressed.label if pressed else inbound.text)
        if isinstance(text, Unreadable):
            return await self._say_only(inbound, opening, text, f"[{text.name.lower()}]")
        parsed, meant = await self._understand(text, pressed)
        masked = _masked(meant, parsed, conversation.awaited_field)
        stored = await self._receive(inbound, opening, masked.text)
        turn = Turn(inbound.conversation_id, meant)
        answer = await self._respond(turn, masked.text, parsed)
        said = list(answer.said)
        if masked.warn:
            said.insert(0, await self._assistant.sentence("utter_masked", answer.language))
        facts = _facts(turn, parsed, time.perf_counter() - started)
        outbound = await self._store(
            inbound.conversation_id, said, turn, reply_to=stored, facts=facts, awaited=answer.awaited_field, events=answer.events
        )
        if turn.delete_afterwards:
            await asyncio.to_thread(self._conversations.forget_messages, inbound.conversation_id)
            self._assistant.forget(inbound.conversation_id)
        return outbound

    async def _receive(self, inbound: Inbound, opening: Opening, masked: str) -> int:
        """The row of the citizen's message, stored now unless it was before."""
        if opening.known:
            return opening.known.id
        return await asyncio.to_thread(self._conversations.add_inbound, inbound.conversation_id, inbound.external_id, masked)

    async def _pressed(self, inbound: Inbound, offered: list[IssuedButton]) -> IssuedButton | None:
        """The issued button that was pressed, or that the typed words or number mean."""
        if inbound.button is not None:
            return await asyncio.to_thread(self._conversations.button, inbound.conversation_id, inbound.button)
        if not offered or len(inbound.text) > 80:
            return None
        number = find_ordinal(inbound.text)
        if number and 1 <= number <= len(offered):
            return offered[number - 1]
        typed = inbound.text.strip().casefold()
        return next((b for b in offered if fuzz.ratio(typed, b.label.casefold()) >= SAME_LABEL), None)

    async def _understand(self, text: str, pressed: IssuedButton | None) -> tuple[dict[str, Any], str]:
        """What the message means, and its words as forms shall read them."""
        command = PAYLOAD.fullmatch(pressed.payload) if pressed else None
        if command:
            return _command(command), text
        meant = pressed.payload if pressed else text
        return await asyncio.to_thread(self._assistant.understand, meant), meant

    async def _respond(self, turn: Turn, text: str, parsed: dict[str, Any]) -> Answer:
        token = CURRENT.set(turn)
        try:
            answer = await self._assistant.respond(turn.conversation_id, text, parsed)
        finally:
            CURRENT.reset(token)
        if turn.failed or not answer.said:
            reference = secrets.token_hex(4).upper()
            log.error("turn failed", reference=reference, intent=parsed["intent"]["name"], answered=bool(answer.said))
            turn.status = AnswerStatus.FAILED
            apology = await self._assistant.sentence("utter_failed", answer.language, reference=reference)
            answer = replace(answer, said=[*answer.said, apology])
        return answer

    async def _say_only(self, inbound: Inbound, opening: Opening, sentence: str, logged: str) -> list[Outbound]:
        """Answer without a turn of the dialogue, whose state stays as it is."""
        stored = await self._receive(inbound, opening, logged)
        said = await self._assistant.sentence(sentence, opening.conversation.locale)
        turn = Turn(inbound.conversation_id, "", status=AnswerStatus.ASKED_AGAIN)
        facts = {"status": turn.status, "intent": None}
        awaited = opening.conversation.awaited_field
        return await self._store(inbound.conversation_id, [said], turn, reply_to=stored, facts=facts, awaited=awaited)

    async def _store(
        self,
        conversation_id: str,
        said: list[Said],
        turn: Turn,
        reply_to: int | None = None,
        facts: dict[str, Any] | None = None,
        awaited: str | None = None,
        events: NewEvents | None = None,
    ) -> list[Outbound]:
        replies = [Reply(s.text, s.buttons, s.sources, {k: v for k, v in turn.hidden.items() if k in s.text} or None) for s in said]
        stored, row_id = await asyncio.to_thread(
            self._conversations.add_replies,
            conversation_id,
            replies,
            reply_to=reply_to,
            turn=facts,
            awaited_field=awaited,
            tracker_row=events.row if events else None,
        )
        if events:
            self._assistant.keep(events, row_id)
        return [self.render(message) for message in stored]


@dataclass(frozen=True)
class _MaskedText:
    text: str
    warn: bool
    """Personal data stood where nobody had asked for it."""


def _masked(text: str, parsed: dict[str, Any], awaited: str | None) -> _MaskedText:
    """The message as tracker and log may keep it, given the field that was asked for."""
    field_asked = _awaited_field(awaited)
    if field_asked and field_asked.personal and not _is_interruption(text, parsed):
        return _MaskedText(f"[{field_asked.label}]", warn=False)
    complaint = kind_of(text) if parsed["intent"]["name"] == "report_complaint" else None
    if complaint and complaint.name == CORRUPTION:
        return _MaskedText(NOT_COLLECTED, warn=False)
    found = mask(mask_factors(text))
    return _MaskedText(found.text, warn=bool(found.found))


def _awaited_field(awaited: str | None) -> Any:
    journey_name, _, field_name = (awaited or "").partition("_")
    journey: Journey | None = JOURNEYS.get(journey_name)
    return journey.field_named(field_name) if journey else None


def _is_interruption(text: str, parsed: dict[str, Any]) -> bool:
    intent = parsed["intent"]
    asks = intent["name"] in {"ask_information", "help", "crisis", "cancel", "out_of_scope"} and intent["confidence"] > 0.6
    return bool(find_command(text)) or (asks and not mask(mask_factors(text)).found)


def _command(match: re.Match[str]) -> dict[str, Any]:
    """The understanding that a server-issued payload such as `/ask_information{"entry": "simpel"}` stands for."""
    entities = [{"entity": name, "value": value} for name, value in json.loads(match[2] or "{}").items()]
    return {"intent": {"name": match[1], "confidence": 1.0}, "intent_ranking": [], "entities": entities}


def _facts(turn: Turn, parsed: dict[str, Any], seconds: float) -> dict[str, Any]:
    intent = parsed["intent"]
    if turn.status is AnswerStatus.SMALL_TALK:
        turn.status = STATUS_OF_INTENT.get(intent["name"], turn.status)
    return {
        "status": turn.status,
        "intent": intent["name"],
        "confidence": round(float(intent["confidence"]), 3),
        "topic": turn.topic,
        "entry": turn.entry,
        "milliseconds": round(seconds * 1000, 1),
    }
