"""Finds out of new messages by looking, while Redis does not tell: one query a second, however many widgets are connected."""

from __future__ import annotations

import asyncio

from bot.looking import keep_looking
from services.wakeups import Wakeups
from store.conversations import Conversations

LOOK_SECONDS = 1.0
LOOK_BACK = 200
"""A message may be seen after one with a higher id, since transactions end in another order than they begin."""


class MessageWatch:
    def __init__(self, conversations: Conversations, wakeups: Wakeups) -> None:
        self._conversations = conversations
        self._wakeups = wakeups
        self._newest = 0
        self._seen: set[int] = set()

    async def run(self) -> None:
        """Until it is cancelled."""
        await keep_looking(self._look_if_needed, "messages", LOOK_SECONDS)

    async def _look_if_needed(self) -> None:
        if self._wakeups.reaches_others:
            self._newest = 0
        elif self._newest == 0:
            self._newest = await asyncio.to_thread(self._conversations.newest_id)
            self._wakeups.wake_all()  # for what came between Redis and this look
        else:
            await self.look()

    async def look(self) -> None:
        """Wake whoever listens to a conversation that has a message not seen before."""
        found = await asyncio.to_thread(self._conversations.spoken_in, max(self._newest - LOOK_BACK, 0))
        for conversation_id in {conversation for id_, conversation in found if id_ not in self._seen}:
            self._wakeups.wake_here(conversation_id)
        self._seen = {id_ for id_, _ in found}
        self._newest = max([self._newest, *self._seen])
