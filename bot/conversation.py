"""One turn of a conversation, the same for every channel: mask, store, understand, answer, store, hand back.

Two messages of one conversation are never worked on at once, and wait in a bounded queue; conversations wait for each other only
for the processor (bot/turns_at_once.py). What the citizen typed lives in memory for the turn; tracker, log and database see it masked.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from structlog.contextvars import get_contextvars

from bot.assistant import Answer, Assistant, Said
from bot.messages import Inbound, Outbound, Unreadable, clean, visible
from bot.nlu.intents import FAVOURITES
from bot.shortcuts import (
    LEAVE,
    OFFICER_BUTTON,
    action_beside_form,
    leaves_officer,
    parsed_as,
)
from bot.transcript import PRIVACY_NOTE, Counts, Transcript, replies
from bot.turn_measures import TurnMeasures
from bot.turn_order import Crowded, TurnOrder
from bot.turn_pool import TurnPool
from bot.turn_wire import Failure, TurnFailed
from bot.turns_at_once import TurnsAtOnce
from bot.understanding import Meaning, Understanding, masked
from services.assembly import Services
from services.dangers import CRISIS, danger_of, sentence_for
from services.handoff import Place, State
from services.privacy import mask
from services.spelling import normalising_once
from services.status_checks import mask_factors
from services.turn import CURRENT, AnswerStatus, Turn
from store.conversations import Opening, Received, Reply
from store.models import Button as IssuedButton
from store.models import Conversation
from store.turn_queue import TurnQueue

log = structlog.get_logger(__name__)
CHANNEL_OFF = "utter_channel_off"
STATUS_OF_INTENT = {
    "out_of_scope": AnswerStatus.DECLINED,
    CRISIS: AnswerStatus.CRISIS,
    "correct_answer": AnswerStatus.ASKED_AGAIN,
    "talk_to_officer": AnswerStatus.HANDED_OVER,
}
"""What the fixed answer to an intent amounts to, where no action has said more."""
GREETING = (PRIVACY_NOTE, "utter_greet")
TURNS_AT_ONCE = 3
"""In this process; further ones wait in order: docs/adr/0016-three-turns-at-a-time.md."""
LIKELIEST = 4
"""So many intents of the ranking stay with the turn, for staff who decide what was meant: three, and `nlu_fallback` before them."""


class UnknownConversation(LookupError):
    """There is no conversation with this id, or it was deleted."""


class TooManyWaiting(Exception):
    """This conversation has more messages waiting than anybody types; `sentence` says so to the citizen."""

    def __init__(self, sentence: str) -> None:
        super().__init__("too many messages are waiting")
        self.sentence = sentence


class Interrupted(Exception):
    """The database was away in the middle of a turn. Nothing was answered; the same message again is answered then."""


class ConversationService:
    def __init__(
        self,
        assistant: Assistant,
        services: Services,
        measures: Counts | None = None,
        pool: TurnPool | None = None,
        forget_elsewhere: Callable[[str], None] | None = None,
        turns_at_once: int = TURNS_AT_ONCE,
    ) -> None:
        """`pool`: other processes that answer. `forget_elsewhere` is told of each conversation that is deleted."""
        self._assistant = assistant
        self._conversations = services.conversations
        self._understanding = Understanding(assistant, services.conversations, services.drafts, services.tickets)
        self._handoffs = services.handoffs
        self._officer_typing = services.officer_typing
        self._own_data = services.own_data
        self._channels = services.channels
        self.transcript = Transcript(assistant, services, measures or TurnMeasures())
        self._pool, self._forget_elsewhere = pool, forget_elsewhere
        self._turns = TurnsAtOnce(turns_at_once)
        self.order = TurnOrder(None if services.database.is_sqlite else TurnQueue(services.database), services.wakeups)

    async def greet(self, conversation_id: str, locale: str) -> list[Outbound]:
        """The first words: what this is, and what not to write here; or that the channel is switched off."""
        async with self._turn_of(conversation_id):
            await self._assistant.set_language(conversation_id, locale)
            off = await asyncio.to_thread(self._is_off, conversation_id)
            names = (CHANNEL_OFF,) if off else GREETING
            said = [await self.transcript.said(name, locale) for name in names]
            return await self.transcript.store(conversation_id, said, Turn(conversation_id, ""))

    async def greet_again(self, inbound: Inbound) -> list[Outbound]:
        """The first words as an answer, in the language that the conversation has or begins with."""
        async with self._turn_of(inbound.conversation_id):
            conversation = await self._conversation(inbound.conversation_id)
            if await self._assistant.language(conversation.id) is None:
                await self._assistant.set_language(conversation.id, conversation.locale)
            return await self._remark(inbound, GREETING, ask_again=True)

    async def remark(self, inbound: Inbound, sentence: str, *, ask_again: bool = True) -> list[Outbound]:
        """A sentence of domain.yml as the answer to what is no turn of the dialogue, such as a picture.

        `inbound.text` is what the log keeps of it. As in `handle`, the same external id gets the same answer. `ask_again`: the open
        question of a form follows.
        """
        async with self._turn_of(inbound.conversation_id):
            return await self._remark(inbound, [sentence], ask_again=ask_again)

    async def _remark(self, inbound: Inbound, sentences: Sequence[str], *, ask_again: bool) -> list[Outbound]:
        opening, place = await asyncio.to_thread(self._open, inbound)
        if opening.replies:
            return [self.transcript.render(message) for message in opening.replies]
        if not (place and place.state is State.ACTIVE) and await self.is_off(opening.conversation.channel):
            sentences, ask_again = [CHANNEL_OFF], False
        return await self.transcript.say_only(inbound, opening, sentences, inbound.text, ask_again=ask_again)

    async def is_off(self, channel: str) -> bool:
        """Whether staff have switched the channel off."""
        return await asyncio.to_thread(self._channels.is_off, channel)

    async def is_with_officer(self, conversation_id: str) -> bool:
        place = await asyncio.to_thread(self._handoffs.place, conversation_id)
        return place is not None and place.state is State.ACTIVE

    async def sentence(self, name: str, language: str) -> str:
        """The words of a sentence of domain.yml, said to nobody yet."""
        return (await self._assistant.sentence(name, language)).text

    async def announce(self, conversation_id: str, sentence: str, *, ask_again: bool) -> list[Outbound]:
        """A sentence of domain.yml that no message of the citizen asked for, between two turns.

        `ask_again`: the open question of a form follows, so that it is what the citizen answers.
        """
        async with self._turn_of(conversation_id):
            conversation = await self._conversation(conversation_id)
            language = await self.transcript.language(conversation)
            said = [await self._assistant.sentence(sentence, language)]
            if ask_again:
                said += await self.transcript.open_question(conversation, language)
            return await self.transcript.store(conversation_id, said, Turn(conversation_id, ""), awaited=conversation.awaited_field)

    async def tell(self, conversation_id: str, notice_id: int, notice: Said, hidden: dict[str, str]) -> None:
        """Store a notice in the conversation, once, between two turns. An open form goes on as it was."""
        async with self._turn_of(conversation_id):
            conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
            in_form = conversation is not None and conversation.awaited_field is not None
            # In a form a typed number answers its question and must not press a button of the notice.
            reply = Reply(notice.text, [] if in_form else notice.buttons, hidden=hidden or None)
            await asyncio.to_thread(self._conversations.add_notice, notice_id, reply)

    async def handle(self, inbound: Inbound) -> list[Outbound]:
        """The replies to a message; none while an officer has the conversation.

        The same external id again gets the same replies and has no second effect. Raises `TooManyWaiting` when the conversation's
        queue is full, `UnknownConversation` where there is none.
        """
        async with self._turn_of(inbound.conversation_id):
            if self._pool and self._pool.serving:
                return await self._answered_elsewhere(self._pool, inbound)
            return await self.answer(inbound)

    async def answer(self, inbound: Inbound) -> list[Outbound]:
        """As `handle`, in this process; the caller keeps the order of the conversation."""
        async with self._turns.one():
            opening, place = await asyncio.to_thread(self._open, inbound)
            if opening.replies:
                return [self.transcript.render(message) for message in opening.replies]
            with normalising_once():
                return await self._answer(inbound, opening, place)

    async def _answered_elsewhere(self, pool: TurnPool, inbound: Inbound) -> list[Outbound]:
        try:
            return await pool.handle(inbound)
        except TurnFailed as failed:
            if failed.failure is Failure.UNKNOWN:
                raise UnknownConversation(inbound.conversation_id) from None
            if failed.failure is Failure.NOT_NOW:
                raise Interrupted(inbound.conversation_id) from None
            raise

    def _open(self, inbound: Inbound) -> tuple[Opening, Place | None]:
        opening = self._conversations.begin_turn(inbound.conversation_id, inbound.external_id)
        if opening is None:
            raise UnknownConversation(inbound.conversation_id)
        return opening, self._handoffs.place(inbound.conversation_id) if opening.handed_off else None

    def _is_off(self, conversation_id: str) -> bool:
        conversation = self._conversations.get(conversation_id)
        return conversation is not None and self._channels.is_off(conversation.channel)

    async def officer_typed_at(self, conversation_id: str) -> datetime | None:
        """When an officer was last seen writing in this conversation, if that is still so."""
        return await asyncio.to_thread(self._officer_typing.seen_at, conversation_id)

    async def messages_after(self, conversation_id: str, seq: int) -> list[Outbound]:
        return [self.transcript.render(m) for m in await asyncio.to_thread(self._conversations.after, conversation_id, seq)]

    async def forget(self, conversation_id: str) -> None:
        async with self._turn_of(conversation_id):
            await asyncio.to_thread(self._conversations.forget, conversation_id)
            self._forget(conversation_id)

    def _forget(self, conversation_id: str) -> None:
        """Nothing of a deleted conversation stays in memory, here or in another process of this server."""
        self._assistant.forget(conversation_id)
        if self._forget_elsewhere:
            self._forget_elsewhere(conversation_id)

    @asynccontextmanager
    async def _turn_of(self, conversation_id: str) -> AsyncIterator[None]:
        try:
            async with self.order.turn(conversation_id):
                yield
        except Crowded as crowded:
            language = await self._assistant.language(conversation_id) or "id"
            raise TooManyWaiting((await self._assistant.sentence("utter_too_fast", language)).text) from crowded

    async def _answer(self, inbound: Inbound, opening: Opening, place: Place | None) -> list[Outbound]:
        started = time.perf_counter()
        conversation = opening.conversation
        pressed = await self._understanding.pressed(inbound, opening.offered, conversation.awaited_field)
        leaves = pressed is None and leaves_officer(inbound.text, place, conversation.awaited_field, opening.offered)
        settles = leaves or (pressed is not None and pressed.payload.startswith(OFFICER_BUTTON))
        if place and place.state is State.ACTIVE:
            if not settles:
                return await self._pass_on(inbound, opening, pressed)
        elif await asyncio.to_thread(self._channels.is_off, conversation.channel):
            return await self._turn_away(inbound, opening, pressed)
        if inbound.button is not None and pressed is None:
            return await self.transcript.say_only(inbound, opening, ["utter_button_gone"], "[tombol]")
        cleaned = clean(pressed.label if pressed else inbound.text)
        text = await self._understanding.danger_in(inbound.text) if isinstance(cleaned, Unreadable) else cleaned
        if text is None:
            return await self.transcript.say_only(inbound, opening, [cleaned], f"[{Unreadable(cleaned).name.lower()}]")
        wanted = self._understanding.choices_wanted
        if not pressed and (choices := await wanted(conversation.id, text, opening.offered, conversation.awaited_field)):
            return await self.transcript.say_choices(inbound, opening, choices, text)
        if leaves:
            meaning = Meaning(parsed_as(*LEAVE), text, conversation.awaited_field)
        else:
            meaning = await self._understanding.meaning(opening, text, pressed)
        if place and meaning.parsed["intent"]["name"] == CRISIS:
            await asyncio.to_thread(self._handoffs.flag_crisis, inbound.conversation_id)
        return await self._take_turn(inbound, opening, text, meaning, cleaned if isinstance(cleaned, Unreadable) else None, started)

    async def _take_turn(
        self, inbound: Inbound, opening: Opening, text: str, meaning: Meaning, shortened: Unreadable | None, started: float
    ) -> list[Outbound]:
        """Have the dialogue answer `text`, a part of what was sent where that was `shortened`. `started`: by the clock of `time`."""
        conversation, parsed = opening.conversation, meaning.parsed
        action = action_beside_form(parsed, meaning.words, conversation.awaited_field)
        kept = masked(meaning.words, parsed, None if action else meaning.value_of)
        # Of a button that answers a question, the log keeps what the citizen read on it and not the value behind it.
        is_rest = meaning.denies and meaning.value_of is None
        shown = masked(text, parsed, None).text if is_rest else kept.text if meaning.words == text else text
        stored = await self.transcript.receive(inbound, opening, shown)
        turn = Turn(
            inbound.conversation_id,
            meaning.words,
            is_command=not parsed["intent_ranking"],
            shortened=shortened is not None,
            follows=meaning.follows,
            denies=meaning.denies,
        )
        answer = await self._respond(turn, kept.text, meaning, action, opening.tracker_row)
        said = list(answer.said)
        if shortened is Unreadable.TOO_LONG:
            said.append(await self.transcript.said(shortened, answer.language))
        if action and not turn.asks and not turn.forgets:
            said += await self.transcript.open_question(conversation, answer.language)
        if meaning.denies and parsed["intent"]["name"] != CRISIS:
            said.insert(0, await self._assistant.sentence("utter_danger_denied_and_more", answer.language))
        if kept.warn:
            said.insert(0, await self._assistant.sentence("utter_masked", answer.language))
        facts = _facts(turn, parsed, time.perf_counter() - started)
        if turn.forgets:
            return await self._forget_and_say(inbound.conversation_id, said, turn, facts)
        return await self.transcript.store(
            inbound.conversation_id,
            said,
            turn,
            reply_to=stored,
            facts=facts,
            awaited=answer.awaited_field,
            events=answer.events,
        )

    async def _forget_and_say(self, conversation_id: str, said: list[Said], turn: Turn, facts: dict[str, Any]) -> list[Outbound]:
        """Delete what is held, then say so: where it fails, nobody reads that it was done, and the same message tries again."""
        told = await asyncio.to_thread(self._own_data.delete, conversation_id, replies(said, turn))
        self._forget(conversation_id)
        self.transcript.measures.count(facts)
        return [self.transcript.render(message) for message in told]

    async def _pass_on(self, inbound: Inbound, opening: Opening, pressed: IssuedButton | None) -> list[Outbound]:
        """Keep the message for the officer who has the conversation. The assistant is silent, except where a life is in danger."""
        text = visible(pressed.label if pressed else inbound.text) or "[empty]"
        stored = await self.transcript.receive(inbound, opening, mask(mask_factors(text)).text)
        heard = await self._understanding.aside(text)
        return await self._aside(inbound, opening, stored, heard, AnswerStatus.HANDED_OVER, [])

    async def _turn_away(self, inbound: Inbound, opening: Opening, pressed: IssuedButton | None) -> list[Outbound]:
        """The channel is switched off: a ready sentence, and before it help where a life is in danger. Dialogue and draft stay."""
        text = visible(pressed.label if pressed else inbound.text) or "[empty]"
        heard = await self._understanding.aside(text)
        stored = await self.transcript.receive(inbound, opening, masked(text, heard.parsed, opening.conversation.awaited_field).text)
        return await self._aside(inbound, opening, stored, heard, AnswerStatus.DECLINED, [CHANNEL_OFF])

    async def _aside(
        self, inbound: Inbound, opening: Opening, stored: Received, heard: Meaning, status: AnswerStatus, sentences: list[str]
    ) -> list[Outbound]:
        """Answer with ready sentences, without a turn of the dialogue; in danger with help before them, and the officers see it."""
        intent = heard.parsed["intent"]["name"]
        if intent == CRISIS:
            status, sentences = AnswerStatus.CRISIS, [sentence_for(danger_of(heard.words)), *sentences]
            await asyncio.to_thread(self._handoffs.flag_crisis, inbound.conversation_id)
        language = await self.transcript.language(opening.conversation)
        said = [await self._assistant.sentence(name, language) for name in sentences]
        facts = {"status": status, "intent": intent}
        turn = Turn(inbound.conversation_id, heard.words, status=status)
        awaited = opening.conversation.awaited_field
        return await self.transcript.store(inbound.conversation_id, said, turn, reply_to=stored, facts=facts, awaited=awaited)

    async def _conversation(self, conversation_id: str) -> Conversation:
        conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
        if conversation is None:
            raise UnknownConversation(conversation_id)
        return conversation

    async def _respond(self, turn: Turn, text: str, meaning: Meaning, action: str | None, tracker_row: int) -> Answer:
        parsed = meaning.parsed
        token = CURRENT.set(turn)
        try:
            answer = await self._assistant.respond(turn.conversation_id, text, parsed, action, tracker_row, meaning.slots)
        finally:
            CURRENT.reset(token)
        if turn.interrupted:
            raise Interrupted(turn.conversation_id)
        if turn.failed or not answer.said:
            reference = get_contextvars().get("request") or secrets.token_hex(4).upper()
            log.error("turn failed", reference=reference, intent=parsed["intent"]["name"], answered=bool(answer.said))
            turn.status = AnswerStatus.FAILED
            apology = await self._assistant.sentence("utter_failed", answer.language, reference=reference)
            answer = replace(answer, said=[*answer.said, apology])
        return answer


def _facts(turn: Turn, parsed: dict[str, Any], seconds: float) -> dict[str, Any]:
    intent, favourites = parsed["intent"], parsed.get(FAVOURITES, [])
    if turn.status is AnswerStatus.SMALL_TALK:
        turn.status = STATUS_OF_INTENT.get(intent["name"], turn.status)
    return {
        "status": turn.status,
        "intent": intent["name"],
        "confidence": round(float(intent["confidence"]), 3),
        "topic": turn.topic,
        "entry": turn.entry,
        "ranking": [[one["name"], round(float(one["confidence"]), 3)] for one in parsed["intent_ranking"][:LIKELIEST]],
        "milliseconds": round(seconds * 1000, 1),
        **({"favourites": favourites} if len(set(favourites)) > 1 else {}),
    }
