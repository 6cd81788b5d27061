"""Tells citizens what comes from the officers' side, outside their own turns: an officer has come, speaks, has gone.

Officers work on the database (services/handoff.py), perhaps in another process; this reads what is untold and tells it, in order.
Over the web a stored message is delivered by the event stream; other channels have to send it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.conversation import ConversationService, TooManyWaiting
from bot.messages import Outbound
from services.assembly import Services
from services.handoff import Event, Untold

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
SENTENCES = {
    Event.TAKEN: "utter_officer_joined",
    Event.HANDED_BACK: "utter_officer_handed_back",
    Event.UNSERVED: "utter_officer_unserved",
}
Deliver = Callable[[str, Outbound], Awaitable[object]]
ShowTyping = Callable[[str], Awaitable[object]]


class Announcements:
    def __init__(
        self,
        service: ConversationService,
        services: Services,
        deliver: dict[str, Deliver],
        show_typing: dict[str, ShowTyping] | None = None,
    ) -> None:
        """`deliver` and `show_typing` name, by channel, what reaches a channel's own address; the web's event stream needs neither."""
        self._service = service
        self._conversations = services.conversations
        self._handoffs = services.handoffs
        self._deliver = deliver
        self._show_typing = show_typing or {}
        self._typing: dict[str, datetime] = {}

    async def keep_telling(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.tell_all()
                await self.show_typing()
            except Exception as error:  # a database that is away for a moment must not end it
                log.error("looking for announcements failed", error=type(error).__name__)

    async def tell_all(self) -> None:
        """Tell everything that is untold, each conversation in its own order."""
        by_conversation: dict[str, list[Untold]] = {}
        for event in await asyncio.to_thread(self._handoffs.untold):
            by_conversation.setdefault(event.conversation_id, []).append(event)
        await asyncio.gather(*(self._tell_in_order(events) for events in by_conversation.values()))

    async def show_typing(self) -> None:
        """Let citizens see that an officer is writing to them, on channels that have to be told."""
        if not self._show_typing:
            return
        typing = await asyncio.to_thread(self._handoffs.typing)
        news = [one for one, at in typing.items() if self._typing.get(one) != at]
        self._typing = typing
        for conversation_id in news:
            conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
            show = self._show_typing.get(conversation.channel) if conversation else None
            address = await asyncio.to_thread(self._conversations.address, conversation_id)
            if show and address:
                await show(address)

    async def _tell_in_order(self, events: list[Untold]) -> None:
        for event in events:
            if not await asyncio.to_thread(self._handoffs.claim, event.event_id):
                return
            try:
                await self._tell(event)
            except TooManyWaiting:
                await asyncio.to_thread(self._handoffs.release, event.event_id)
                return
            except Exception as error:  # one conversation must not keep the others waiting
                log.error("announcement failed", event_name=event.name, error=type(error).__name__)
                return
            await asyncio.to_thread(self._handoffs.told, event.event_id)

    async def _tell(self, event: Untold) -> None:
        if event.name is Event.SAID:
            assert event.seq is not None
            messages = (await self._service.messages_after(event.conversation_id, event.seq - 1))[:1]
        else:
            messages = await self._service.announce(
                event.conversation_id, SENTENCES[event.name], ask_again=event.name is not Event.TAKEN
            )
        conversation = await asyncio.to_thread(self._conversations.get, event.conversation_id)
        deliver = self._deliver.get(conversation.channel) if conversation else None
        address = await asyncio.to_thread(self._conversations.address, event.conversation_id)
        if deliver and address:
            for message in messages:
                await deliver(address, message)
