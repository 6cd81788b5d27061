"""Tells citizens what comes from the officers' side, outside their own turns: an officer has come, speaks, has gone.

Officers work on the database (services/handoff.py), perhaps in another process; this reads what is untold and tells it, in order.
An event is told once the channel has taken or refused its messages; until then it stays untold, whatever restarts in between. It is no
job of the scheduler: those run one after the other, and an officer's words wait for none of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

import structlog

from bot.conversation import ConversationService, TooManyWaiting
from bot.courier import Courier
from bot.looking import keep_looking
from bot.messages import Delivery
from services.assembly import Services
from services.handoff import FROM_OFFICERS, Event
from services.untold import Untold
from store.database import AWAY

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
"""Without a wake-up, as from another process while Redis is away."""
AGAIN_SECONDS = 10.0
"""After so long a delivery that failed is tried again."""
FINISHING_SECONDS = 5.0
SIGN_SECONDS = 4.0
"""After so long the sign that an officer is writing is no longer true, and a channel need not be told it."""
SENTENCES = {
    Event.TAKEN: "utter_officer_joined",
    Event.HANDED_BACK: "utter_officer_handed_back",
    Event.UNSERVED: "utter_officer_unserved",
}
ShowTyping = Callable[[str], Awaitable[object]]


class Announcements:
    def __init__(
        self,
        service: ConversationService,
        services: Services,
        courier: Courier,
        show_typing: dict[str, ShowTyping] | None = None,
    ) -> None:
        """`show_typing` names, by channel, what shows the sign at a channel's own address; the web's event stream needs none."""
        self._service = service
        self._conversations = services.conversations
        self._wakeups = services.wakeups
        self._untold = services.untold
        self._officer_typing = services.officer_typing
        self._courier = courier
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._again_at: dict[str, float] = {}
        self._show_typing = show_typing or {}
        self._typing: dict[str, datetime] = {}
        self._signs: set[asyncio.Task[None]] = set()

    async def keep_telling(self) -> None:
        with self._wakeups.listen(FROM_OFFICERS) as listener:
            await keep_looking(self._look_and_show, "announcements", LOOK_SECONDS, listener.wait)

    async def _look_and_show(self) -> None:
        await self._look()
        await self.show_typing()

    async def finish(self) -> None:
        """Wait for what is being told; a channel that has stopped leaves the rest to the next start. Signs are not waited for."""
        for sign in list(self._signs):
            sign.cancel()
        if self._telling:
            await asyncio.wait(self._telling.values(), timeout=FINISHING_SECONDS)

    async def _look(self) -> None:
        """Begin to tell what is untold; a conversation whose channel is slow keeps no other waiting."""
        by_conversation: dict[str, list[Untold]] = {}
        for event in await asyncio.to_thread(self._untold.all):
            by_conversation.setdefault(event.conversation_id, []).append(event)
        now = time.monotonic()
        self._again_at = {one: at for one, at in self._again_at.items() if at > now}
        for conversation_id, events in by_conversation.items():
            if conversation_id not in self._telling and conversation_id not in self._again_at:
                task = asyncio.create_task(self._tell_in_order(events))
                self._telling[conversation_id] = task
                task.add_done_callback(partial(self._forget, conversation_id))

    def _forget(self, conversation_id: str, _done: asyncio.Task[None]) -> None:
        del self._telling[conversation_id]

    async def show_typing(self) -> None:
        """Begin to show citizens that an officer is writing to them, on channels that have to be told. No words wait for that."""
        if not self._show_typing:
            return
        typing = await asyncio.to_thread(self._officer_typing.everywhere)
        news = [one for one, at in typing.items() if self._typing.get(one) != at]
        self._typing = typing
        for conversation_id in news:
            conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
            show = self._show_typing.get(conversation.channel) if conversation else None
            address = await asyncio.to_thread(self._conversations.address, conversation_id)
            if show and address:
                sign = asyncio.create_task(_show_in_time(show, address))
                self._signs.add(sign)
                sign.add_done_callback(self._signs.discard)

    async def _tell_in_order(self, events: list[Untold]) -> None:
        for event in events:
            if not await asyncio.to_thread(self._untold.claim, event.event_id):
                return
            try:
                is_told = await self._tell(event)
            except TooManyWaiting:
                is_told = False
            except Exception as error:  # one conversation must not keep the others waiting
                log.error("announcement failed", event_name=event.name, error=type(error).__name__)
                is_told = False
            if not is_told:
                self._again_at[event.conversation_id] = time.monotonic() + AGAIN_SECONDS
                with suppress(*AWAY):  # then the claim ends by itself
                    await asyncio.to_thread(self._untold.release, event.event_id)
                return
            await asyncio.to_thread(self._untold.told, event.event_id)

    async def _tell(self, event: Untold) -> bool:
        """Store what the event says, unless that was done before, and send it. Whether the channel has taken or refused all of it."""
        seqs = event.to_send
        if seqs is None:
            ask_again = event.name is not Event.TAKEN
            stored = await self._service.announce(event.conversation_id, SENTENCES[event.name], ask_again=ask_again)
            seqs = [message.seq for message in stored]
            await asyncio.to_thread(self._untold.note_to_send, event.event_id, seqs)
        for place, seq in enumerate(seqs):
            messages = await self._service.messages_after(event.conversation_id, seq - 1)
            if not messages or messages[0].seq != seq:
                continue  # deleted meanwhile
            if await self._courier.bring(event.conversation_id, messages[0]) is Delivery.FAILED:
                await asyncio.to_thread(self._untold.note_to_send, event.event_id, seqs[place:])
                return False
        return True


async def _show_in_time(show: ShowTyping, address: str) -> None:
    try:
        async with asyncio.timeout(SIGN_SECONDS):
            await show(address)
    except Exception as error:  # a citizen misses nothing without it
        log.info("typing sign failed", error=type(error).__name__)
