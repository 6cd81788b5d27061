"""One turn at a time in a conversation, in the order of arrival: in this process, and over all processes on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog

from services.wakeups import Wakeups
from store.turn_queue import HELD, LEASE, Place, TurnQueue

log = structlog.get_logger(__name__)
WAITING_LIMIT = 8
RENEW_SECONDS = LEASE.total_seconds() / 4
LOOK_SECONDS = 0.05
"""How often the next in the queue looks whether the turn before it is over; the end of a turn in this process is known at once."""


class Crowded(Exception):
    """This conversation has more messages waiting than anybody types."""


@dataclass
class _Line:
    joining: asyncio.Lock = field(default_factory=asyncio.Lock)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class TurnOrder:
    def __init__(self, queue: TurnQueue | None, wakeups: Wakeups) -> None:
        """`queue` is None where this is the only process of its database."""
        self._queue = queue
        self._wakeups = wakeups
        self._lines: dict[str, _Line] = {}
        self._places: dict[int, Place] = {}
        # Of its own: threads that all wait for the database must not keep this process from saying that it lives.
        self._renewing = ThreadPoolExecutor(1, "turns")

    @asynccontextmanager
    async def turn(self, conversation_id: str) -> AsyncIterator[None]:
        """Waits for the turns that came before. Raises `Crowded`."""
        line = self._lines.setdefault(conversation_id, _Line())
        if line.waiting >= WAITING_LIMIT:
            raise Crowded(conversation_id)
        line.waiting += 1
        try:
            if self._queue is None:
                async with line.turn:
                    yield
            else:
                async with self._place(self._queue, conversation_id, line):
                    yield
        finally:
            line.waiting -= 1
            if not line.waiting:
                self._lines.pop(conversation_id, None)

    @asynccontextmanager
    async def _place(self, queue: TurnQueue, conversation_id: str, line: _Line) -> AsyncIterator[None]:
        async with line.joining:  # each message takes its place when it comes, also where earlier ones wait here
            place = await asyncio.to_thread(queue.join, conversation_id)
        if place is None:
            yield
            return
        self._places[place.id] = place
        try:
            if place.before > WAITING_LIMIT:
                raise Crowded(conversation_id)
            async with line.turn:
                with self._wakeups.listen(conversation_id) as listener:
                    while place.before:
                        await listener.wait(LOOK_SECONDS)
                        await asyncio.to_thread(queue.advance, place)
                token = HELD.set(place)
                try:
                    yield
                finally:
                    HELD.reset(token)
        finally:
            del self._places[place.id]
            if not place.is_left:
                await self._leave(queue, place)

    async def _leave(self, queue: TurnQueue, place: Place) -> None:
        try:
            await asyncio.to_thread(queue.leave, place)
        except Exception as error:  # the place ends by itself; what the turn came to must not depend on it
            log.error("a turn could not be ended", error=type(error).__name__)
        self._wakeups.publish(place.conversation_id)

    async def keep_places(self) -> None:
        """Until it is cancelled: tell the other processes that this one lives and works on its turns."""
        while self._queue is not None:
            await asyncio.sleep(RENEW_SECONDS)
            if self._places:
                try:
                    renewal = partial(self._queue.renew_all, list(self._places.values()))
                    await asyncio.get_running_loop().run_in_executor(self._renewing, renewal)
                except Exception as error:  # a database that is away for a moment must not end it
                    log.error("turns could not be renewed", error=type(error).__name__)
