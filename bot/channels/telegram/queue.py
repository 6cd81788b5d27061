"""How updates come in and are worked on: stored first, each chat in its own order, chats side by side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog
from telegram import Update
from telegram.ext import BaseUpdateProcessor

from store.telegram_inbox import TelegramInbox

log = structlog.get_logger(__name__)
CHATS_AT_ONCE = 256
WAITING_LIMIT = 20
STORING_PAUSE = 1.0


class InboxQueue(asyncio.Queue[object]):
    """python-telegram-bot's queue of updates; `put` returns when the update is on the disk. An update seen before is dropped."""

    def __init__(self, inbox: TelegramInbox) -> None:
        super().__init__()
        self._inbox = inbox

    async def put(self, item: object) -> None:
        if not isinstance(item, Update):  # the application's own sign to stop
            await super().put(item)
            return
        while True:
            try:
                is_new = await asyncio.to_thread(self._inbox.accept, item.update_id, item.to_dict())
                break
            except Exception as error:  # not acknowledged until it is stored, whatever keeps the database away
                log.error("telegram update can't be stored yet", error=type(error).__name__)
                await asyncio.sleep(STORING_PAUSE)
        if is_new:
            await super().put(item)

    async def put_again(self, item: Update) -> None:
        """An update that an earlier process has stored and not finished."""
        await super().put(item)


@dataclass
class _Lane:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class ChatsInOrder(BaseUpdateProcessor):
    """Works on many chats at once and on each chat's updates one after the other."""

    def __init__(self) -> None:
        super().__init__(CHATS_AT_ONCE)
        self._lanes: dict[int, _Lane] = {}

    def is_crowded(self, chat_id: int) -> bool:
        """Whether more of the chat's updates are waiting than anybody types."""
        lane = self._lanes.get(chat_id)
        return lane is not None and lane.waiting > WAITING_LIMIT

    async def do_process_update(self, update: object, coroutine: Any) -> None:
        chat = update.effective_chat if isinstance(update, Update) else None
        key = chat.id if chat else 0
        lane = self._lanes.setdefault(key, _Lane())
        lane.waiting += 1
        try:
            async with lane.lock:
                await coroutine
        finally:
            lane.waiting -= 1
            if not lane.waiting:
                self._lanes.pop(key, None)

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to put away."""
