"""How many turns this process works on at a time; the others wait in the order in which they came.

A process has little more work in it than one core does. Of turns that all go on together all end late; one after the other, each
is answered after its share of the time.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from itertools import count

_CURRENT: ContextVar[_Turn | None] = ContextVar("turn at work", default=None)


class TurnsAtOnce:
    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._arrivals = count()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Work on a turn, once those that came before are done or leave room."""
        turn = _Turn(self, next(self._arrivals))
        await turn.enter()
        token = _CURRENT.set(turn)
        try:
            yield
        finally:
            _CURRENT.reset(token)
            turn.leave()

    async def take(self, arrived: int) -> None:
        if self._free:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (arrived, place))
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was given in the same moment
                self.give_back()
            raise

    def give_back(self) -> None:
        while self._waiting:
            _, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


class _Turn:
    def __init__(self, turns: TurnsAtOnce, arrived: int) -> None:
        self._turns, self._arrived, self.at_work = turns, arrived, False

    async def enter(self) -> None:
        await self._turns.take(self._arrived)
        self.at_work = True

    def leave(self) -> None:
        if self.at_work:
            self.at_work = False
            self._turns.give_back()


@asynccontextmanager
async def others_first() -> AsyncIterator[None]:
    """Let other turns go on while this one waits for what may take long. It then goes before those that came after it."""
    turn = _CURRENT.get()
    if turn is None or not turn.at_work:  # away already, or over: a task that it has started may outlive it
        yield
        return
    turn.leave()
    try:
        yield
    finally:
        await turn.enter()
