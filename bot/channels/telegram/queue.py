"""How updates come in and are worked on: stored first, each chat in its own order, chats side by side, and never more than fit."""

from __future__ import annotations

import asyncio
import heapq
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telegram import Message, Update
from telegram.ext import BaseUpdateProcessor

from store.telegram_inbox import TelegramInbox

CHATS_AT_ONCE = 256
MOST_WAITING = 5_000
"""Updates in memory. Beyond them nothing is acknowledged until there is room, and Telegram keeps the rest."""
MOST_OF_A_CHAT = 20
"""Updates of one chat that may wait; nobody types more."""
ELSEWHERE_PAUSE = 0.5
WARNING_PAUSE = 60.0
CHATS_REMEMBERED = 10_000


@dataclass
class _Lane:
    """The updates of one chat that are not done."""

    current: int | None = None
    coming: int = 0
    """Those that are being stored."""
    waiting: list[int] = field(default_factory=list)
    """A heap: of those that wait, the one that Telegram numbered first comes first."""
    updates: dict[int, Update] = field(default_factory=dict)
    turns: dict[int, asyncio.Future[None]] = field(default_factory=dict)


class ChatsInOrder(BaseUpdateProcessor):
    """Works on many chats at once and on each chat's updates one after the other, in the order of their numbers."""

    def __init__(self, is_behind_another: Callable[[Update], Awaitable[bool]]) -> None:
        """`is_behind_another`: whether another process has an earlier update of the same chat to answer."""
        super().__init__(MOST_WAITING * 4)  # its own limit would count those that wait for their chat; ours stands below
        self._is_behind_another = is_behind_another
        self._lanes: dict[int, _Lane] = {}
        self._working = asyncio.Semaphore(CHATS_AT_ONCE)
        self._count = 0
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self._warned: OrderedDict[int, float] = OrderedDict()

    @property
    def has_room(self) -> bool:
        """Whether another update may come in."""
        return self._room.is_set()

    async def room(self) -> None:
        """Return when another update may come in."""
        await self._room.wait()

    def admit(self, update: Update) -> bool:
        """Keep a place for an update about to be stored, until `enter` or `drop`; False where its chat has as many as it may."""
        lane = self._lanes.setdefault(chat_of(update), _Lane())
        if len(lane.waiting) + lane.coming >= MOST_OF_A_CHAT:
            return False
        lane.coming += 1
        return True

    def drop(self, update: Update) -> None:
        """The update was admitted, and is no new one or could not be stored."""
        lane = self._lanes[chat_of(update)]
        lane.coming -= 1
        self._forget_if_empty(lane, update)

    def may_warn(self, chat_id: int) -> bool:
        """Whether the chat is to be told that it is too fast: once a minute."""
        now = time.monotonic()
        if now - self._warned.get(chat_id, -WARNING_PAUSE) < WARNING_PAUSE:
            return False
        self._warned[chat_id] = now
        while len(self._warned) > CHATS_REMEMBERED:
            self._warned.popitem(last=False)
        return True

    def enter(self, update: Update, *, admitted: bool) -> None:
        """The update takes its place in its chat; `do_process_update` follows."""
        lane = self._lanes.setdefault(chat_of(update), _Lane())
        lane.coming -= admitted
        lane.updates[update.update_id] = update
        heapq.heappush(lane.waiting, update.update_id)
        self._count += 1
        if self._count >= MOST_WAITING:
            self._room.clear()

    def has(self, update: Update) -> bool:
        """Whether the update has its place already."""
        lane = self._lanes.get(chat_of(update))
        return lane is not None and update.update_id in lane.updates

    def edit_of(self, update: Update) -> Message | None:
        """The newest edit of the update's message that waits behind it: what the citizen wants to have said."""
        message, lane = update.message, self._lanes.get(chat_of(update))
        if message is None or lane is None:
            return None
        edits = (lane.updates[number].edited_message for number in sorted(lane.waiting, reverse=True))
        return next((edit for edit in edits if edit and edit.message_id == message.message_id), None)

    def close(self) -> None:
        """What waits stays in the inbox, for the next start."""
        self._closed = True

    async def do_process_update(self, update: object, coroutine: Any) -> None:
        if not isinstance(update, Update):
            await coroutine
            return
        lane = self._lanes[chat_of(update)]
        try:
            await self._turn(lane, update.update_id)
            async with self._working:
                if not self._closed:
                    await coroutine
        finally:
            coroutine.close()
            self._leave(lane, update)

    async def _turn(self, lane: _Lane, number: int) -> None:
        """Return when the update is the chat's first that is not done, here and in other processes."""
        await self._first_here(lane, number)
        while not self._closed and await self._is_behind_another(lane.updates[number]):
            await asyncio.sleep(ELSEWHERE_PAUSE)
            heapq.heappush(lane.waiting, number)  # what this process has taken over meanwhile comes before it
            self._next(lane)
            await self._first_here(lane, number)

    async def _first_here(self, lane: _Lane, number: int) -> None:
        if lane.current is None:
            self._next(lane)
        if lane.current != number:
            lane.turns[number] = asyncio.get_running_loop().create_future()
            await lane.turns[number]

    @staticmethod
    def _next(lane: _Lane) -> None:
        lane.current = heapq.heappop(lane.waiting) if lane.waiting else None
        turn = lane.turns.pop(lane.current, None) if lane.current is not None else None
        if turn and not turn.done():
            turn.set_result(None)

    def _leave(self, lane: _Lane, update: Update) -> None:
        self._count -= 1
        if self._count < MOST_WAITING:
            self._room.set()
        lane.updates.pop(update.update_id, None)
        lane.turns.pop(update.update_id, None)
        if lane.current != update.update_id:  # it was cancelled while it waited
            lane.waiting = [number for number in lane.waiting if number != update.update_id]
            heapq.heapify(lane.waiting)
            return
        self._next(lane)
        self._forget_if_empty(lane, update)

    def _forget_if_empty(self, lane: _Lane, update: Update) -> None:
        if lane.current is None and not lane.waiting and not lane.coming:
            self._lanes.pop(chat_of(update), None)

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to put away."""


class InboxQueue(asyncio.Queue[object]):
    """python-telegram-bot's queue of updates; `put` returns when the update is on the disk. An update seen before is dropped."""

    def __init__(self, inbox: TelegramInbox, chats: ChatsInOrder, too_many: Callable[[int], None]) -> None:
        """`too_many` is called, now and then, with a chat that sends more than it may."""
        super().__init__()
        self._inbox = inbox
        self._chats = chats
        self._too_many = too_many

    async def put(self, item: object) -> None:
        """Raises SQLAlchemy's errors where an update can't be stored; it is not acknowledged then, and Telegram brings it again."""
        if not isinstance(item, Update):  # the application's own sign to stop
            await super().put(item)
            return
        await self._chats.room()
        admitted, is_new = self._chats.admit(item), False
        try:
            content = _content_of(item) if admitted else None
            is_new = await asyncio.to_thread(self._inbox.accept, item.update_id, chat_of(item), content)
        finally:
            if admitted and not is_new:
                self._chats.drop(item)
        if admitted and is_new:
            self._enter(item, admitted=True)
        elif is_new and self._chats.may_warn(chat_of(item)):
            self._too_many(chat_of(item))

    def put_again(self, item: Update) -> None:
        """An update that another process has stored and not finished."""
        self._enter(item, admitted=False)

    def _enter(self, item: Update, *, admitted: bool) -> None:
        self._chats.enter(item, admitted=admitted)
        self.put_nowait(item)


def _content_of(update: Update) -> dict[str, Any]:
    """As Telegram sent it. python-telegram-bot leaves a datetime in fields that it finds where it knows none."""
    content: dict[str, Any] = json.loads(json.dumps(update.to_dict(), default=_plain))
    return content


def _plain(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime) else str(value)


def chat_of(update: Update) -> int:
    """Telegram's number of the chat; 0 for what belongs to none."""
    chat = update.effective_chat
    return chat.id if chat else 0
