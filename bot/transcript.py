"""What was received and what is said, as the log of a conversation keeps it, and as a channel shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot.assistant import Assistant, Said
from bot.messages import Button, Inbound, Outbound
from bot.shortcuts import awaited_field
from services.assembly import Services
from services.journeys import CONFIRMATION
from services.retention import Kind as KindOfData
from services.turn import AnswerStatus, Turn
from store.conversations import Opening, Received, Reply
from store.models import Button as IssuedButton
from store.models import Conversation, Message
from store.tracker import NewEvents

PRIVACY_NOTE = "utter_privacy_note"


class Counts(Protocol):
    def count(self, facts: Mapping[str, Any]) -> None:
        """A turn, as the log has it."""


class Transcript:
    def __init__(self, assistant: Assistant, services: Services, measures: Counts) -> None:
        self._assistant = assistant
        self._conversations = services.conversations
        self._retention = services.retention
        self.measures = measures

    async def language(self, conversation: Conversation) -> str:
        """The language that the conversation is answered in."""
        return await self._assistant.language(conversation.id) or conversation.locale

    async def receive(self, inbound: Inbound, opening: Opening, masked: str) -> Received:
        """The citizen's message in the log, stored now unless it was before."""
        if opening.known:
            return Received(opening.known.id, opening.next_seq - 1)
        add = self._conversations.add_inbound
        return await asyncio.to_thread(add, inbound.conversation_id, inbound.external_id, masked, opening.next_seq)

    async def said(self, name: str, language: str) -> Said:
        """A sentence of domain.yml; the privacy note says how long the log is kept, as staff have set it."""
        if name == PRIVACY_NOTE and (days := await asyncio.to_thread(self._days_kept)):
            return await self._assistant.sentence(f"{name}_days", language, days=days)
        return await self._assistant.sentence(name, language)

    def _days_kept(self) -> int:
        return self._retention.days()[KindOfData.CONVERSATIONS]

    async def open_question(self, conversation: Conversation, language: str) -> list[Said]:
        awaited = conversation.awaited_field
        return [await self._assistant.sentence(f"utter_ask_{awaited}", language)] if awaited else []

    async def say_only(
        self,
        inbound: Inbound,
        opening: Opening,
        sentences: Sequence[str],
        logged: str,
        *,
        ask_again: bool = True,
    ) -> list[Outbound]:
        """Answer without a turn of the dialogue, whose state stays as it is; a form's open question is asked again."""
        stored = await self.receive(inbound, opening, logged)
        language = await self.language(opening.conversation)
        said = [await self.said(sentence, language) for sentence in sentences]
        if ask_again:
            said += await self.open_question(opening.conversation, language)
        turn = Turn(inbound.conversation_id, "", status=AnswerStatus.ASKED_AGAIN)
        facts = {"status": turn.status, "intent": None}
        awaited = opening.conversation.awaited_field
        return await self.store(inbound.conversation_id, said, turn, reply_to=stored, facts=facts, awaited=awaited)

    async def say_choices(self, inbound: Inbound, opening: Opening, choices: Sequence[IssuedButton], logged: str) -> list[Outbound]:
        """Read out the choices with their buttons, without a turn of the dialogue. A number is said where it would press one."""
        stored = await self.receive(inbound, opening, logged)
        awaited = opening.conversation.awaited_field
        numbered = awaited_field(awaited) is not CONFIRMATION
        listed = "\n".join(f"{place}. {b.label}" if numbered else f"- {b.label}" for place, b in enumerate(choices, start=1))
        name = "utter_choices" if numbered else "utter_choices_by_name"
        sentence = await self._assistant.sentence(name, await self.language(opening.conversation), choices=listed)
        said = [replace(sentence, buttons=[(b.label, b.payload) for b in choices])]
        turn = Turn(inbound.conversation_id, "", status=AnswerStatus.ASKED_AGAIN)
        facts = {"status": turn.status, "intent": None}
        return await self.store(inbound.conversation_id, said, turn, reply_to=stored, facts=facts, awaited=awaited)

    async def store(
        self,
        conversation_id: str,
        said: list[Said],
        turn: Turn,
        reply_to: Received | None = None,
        facts: dict[str, Any] | None = None,
        awaited: str | None = None,
        events: NewEvents | None = None,
    ) -> list[Outbound]:
        if facts:
            self.measures.count(facts)
        stored, row_id = await asyncio.to_thread(
            self._conversations.add_replies,
            conversation_id,
            replies(said, turn),
            reply_to=reply_to.id if reply_to else None,
            turn=facts,
            awaited_field=awaited,
            tracker_row=events.row if events else None,
            likely_seq=reply_to.seq + 1 if reply_to else None,
            last=True,
            finished=turn.finished,
        )
        if events:
            self._assistant.keep(events, row_id)
        return [self.render(message) for message in stored]

    def render(self, message: Message) -> Outbound:
        buttons = [Button(button["id"], button["label"]) for button in message.buttons]
        text = self._conversations.seen_text(message)
        return Outbound(message.seq, message.author, text, message.at, buttons, message.sources, message.external_id)


def replies(said: list[Said], turn: Turn) -> list[Reply]:
    return [Reply(s.text, s.buttons, s.sources, {k: v for k, v in turn.hidden.items() if k in s.text} or None) for s in said]
