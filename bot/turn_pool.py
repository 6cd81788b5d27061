"""The processes that answer, as the process that listens sees them: hands each turn to one of them and gets its replies.

Python does one thing at a time in a process, so a process answers no more citizens than one core can. Here the process that listens
keeps the order of turns, limits, event streams and the desk, and the others do the work of the turns: docs/adr/0017-turn-processes.md.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import structlog
from structlog.contextvars import get_contextvars

from bot.assistant import Assistant
from bot.messages import Inbound, Outbound
from bot.turn_keeper import Keeper, KeeperGone
from bot.turn_measures import TurnMeasures
from bot.turn_wire import Answered, Ask, Counted, Failed, Failure, Forgotten, TurnFailed, Woken, packed, unpacked
from services.wakeups import Wakeups
from store.turn_queue import HELD

log = structlog.get_logger(__name__)
FEW_TRACKERS = 64
"""So many the process that listens keeps: the turn processes have them."""
SHORT_LIFE = 10.0
"""Seconds; one that ended sooner is replaced only after a pause, which doubles with each."""
LONGEST_PAUSE = 60.0
TURNS_EACH = 2
"""So many turns a process has at a time: one at work, and one that begins in the moment in which that ends or waits for an action."""
SLOW_SECONDS = 0.25
"""A turn that takes longer waits for a service outside, and its process has room for another."""
AGAIN_SECONDS = 5.0
"""After so long what could not be loaded is tried again; until then the old is served."""
STUCK_SECONDS = 60.0
"""Nothing that a turn waits for is waited for so long: a process that has not answered by then never will."""
CLOSING_SECONDS = 5.0
"""So long a process may take to end by itself when the server stops."""
MOST_EACH = 32
"""So many turns a process has in all, waiting ones with them: as many as there are threads for actions."""


@dataclass(frozen=True)
class _Given:
    """A turn that a process has."""

    answer: asyncio.Future[Answered]
    begun: float


class _Process:
    def __init__(self, pid: int, generation: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """`generation`: how often knowledge or model had changed when it was forked."""
        self.pid, self.generation, self.reader, self.writer = pid, generation, reader, writer
        self.turns: dict[int, _Given] = {}
        self.began = time.monotonic()
        self.is_leaving = False
        """It gets no further turns and ends when those it has are done."""

    def tell(self, message: object) -> None:
        self.writer.write(packed(message))

    @property
    def load(self) -> tuple[int, int]:
        """The turns that it works on, without those that have long been waiting for others; and all that it has."""
        recent = time.monotonic() - SLOW_SECONDS
        return sum(given.begun > recent for given in self.turns.values()), len(self.turns)

    @property
    def has_room(self) -> bool:
        working, every = self.load
        return working < TURNS_EACH and every < MOST_EACH

    def give(self, number: int) -> None:
        self.turns[number] = _Given(asyncio.get_running_loop().create_future(), time.monotonic())

    def settle(self, number: int, outcome: Answered | TurnFailed) -> None:
        if number in self.turns:
            _settle(self.turns[number].answer, outcome)

    def done(self, number: int) -> None:
        del self.turns[number]
        self.end_if_done()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end_if_done(self) -> None:
        if self.is_leaving and not self.turns:
            self.writer.close()


@dataclass(frozen=True, eq=False)
class _Waiting:
    conversation_id: str
    number: int
    process: asyncio.Future[_Process]


class TurnPool:
    def __init__(self, keeper: Keeper, assistant: Assistant, wakeups: Wakeups, measures: TurnMeasures) -> None:
        """`assistant` is that of this process: its model is the one to be served."""
        self._keeper, self._assistant = keeper, assistant
        assistant.keep_trackers(FEW_TRACKERS)
        self._wakeups, self._measures = wakeups, measures
        self._processes: list[_Process] = []
        self._numbers = count()
        self._waiting: deque[_Waiting] = deque()
        self._pause = 0.0
        self._generation = 0
        self._renewing = asyncio.Lock()
        self._listening: dict[asyncio.Task[None], _Process] = {}
        self._filling: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def serving(self) -> int:
        """How many processes answer now."""
        return len(self._processes)

    async def start(self) -> None:
        await self._add_missing()
        self._fill_up()

    async def handle(self, inbound: Inbound) -> list[Outbound]:
        """The replies to a message whose turn it is in its conversation. Raises `TurnFailed`."""
        place, number = HELD.get(), next(self._numbers)
        process = await self._room(inbound.conversation_id, number)
        later = asyncio.get_running_loop().call_later
        looks = later(SLOW_SECONDS, self._hand_out), later(STUCK_SECONDS, self._end_stuck, process)
        try:
            process.tell(Ask(number, inbound, place, get_contextvars()))
            answered = await process.turns[number].answer
        finally:
            for look in looks:
                look.cancel()
            process.done(number)
            self._hand_out()
        if place:
            place.is_left = answered.is_left
        return answered.replies

    def forget(self, conversation_id: str, *, told_by: _Process | None = None) -> None:
        """Tell the processes that a conversation was deleted."""
        for process in self._processes:
            if process is not told_by:
                process.tell(Forgotten(conversation_id))

    async def renew(self) -> None:
        """Replace all processes by ones with the knowledge and the model of now. Each finishes the turns that it has begun."""
        async with self._renewing:
            await self._refreshed()
            self._generation += 1
            for process in list(self._processes):
                with suppress(KeeperGone):
                    await self._add()
                self._let_go(process)
            if not self._processes:
                log.error("turn processes can't be renewed; this process answers alone")
            self._fill_up()

    async def _refreshed(self) -> None:
        """Until the keeper has loaded what is new, or is gone."""
        with suppress(KeeperGone):
            while not await self._keeper.refresh(self._assistant.path):
                log.error("turn processes are not renewed; the old ones go on", again_in=AGAIN_SECONDS)
                await asyncio.sleep(AGAIN_SECONDS)

    async def close(self) -> None:
        """End all processes: by themselves, or after a while by force."""
        self._is_closed = True
        if self._filling:
            self._filling.cancel()
        for process in self._listening.values():
            if not process.writer.is_closing():
                process.writer.write_eof()
        if self._listening:
            _, late = await asyncio.wait(self._listening, timeout=CLOSING_SECONDS)
            for task in late:
                self._listening[task].kill()
        await asyncio.to_thread(self._keeper.close)

    async def _room(self, conversation_id: str, number: int) -> _Process:
        """A process that takes this turn, after those that came before."""
        waiting = _Waiting(conversation_id, number, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._hand_out()
        try:
            return await waiting.process
        except asyncio.CancelledError:
            if waiting.process.done() and not waiting.process.cancelled():  # it was given in the same moment
                waiting.process.result().done(number)
            raise

    def _hand_out(self) -> None:
        """Give the turns that wait to the processes that have room."""
        while self._waiting and self._processes:
            process = min(self._processes, key=lambda process: process.load)
            if not process.has_room:
                return
            waiting = self._next_for(process)
            self._waiting.remove(waiting)
            if not waiting.process.done():
                process.give(waiting.number)
                waiting.process.set_result(process)

    def _next_for(self, process: _Process) -> _Waiting:
        """The first who waits; one of the next ones that this process worked on before goes first, since it remembers the tracker."""
        every = len(self._processes)
        for waiting in islice(self._waiting, every):
            if self._processes[hash(waiting.conversation_id) % every] is process:
                return waiting
        return self._waiting[0]

    async def _add(self) -> None:
        """Raises `KeeperGone`."""
        generation = self._generation
        connection, pid = await self._keeper.fork()
        process = _Process(pid, generation, *await asyncio.open_unix_connection(sock=connection))
        listening = asyncio.create_task(self._listen(process))
        self._listening[listening] = process
        listening.add_done_callback(self._listening.pop)
        if generation != self._generation:  # forked of what was there before
            process.writer.close()
            await self._add()
            return
        self._processes.append(process)
        self._measures.processes.set(self.serving)
        self._hand_out()

    def _let_go(self, process: _Process) -> None:
        process.is_leaving = True
        with suppress(ValueError):
            self._processes.remove(process)
        self._measures.processes.set(self.serving)
        process.end_if_done()
        if not self._processes:  # nobody is there who could take them
            while self._waiting:
                _settle(self._waiting.popleft().process, TurnFailed(Failure.NOT_NOW))

    def _end_stuck(self, process: _Process) -> None:
        log.error("a turn process is stuck", turns=len(process.turns))
        process.kill()

    async def _listen(self, process: _Process) -> None:
        with suppress(EOFError):
            while True:
                self._hear(await unpacked(process.reader), process)
        process.writer.close()
        for number in process.turns:
            process.settle(number, TurnFailed(Failure.NOT_NOW))
        if process in self._processes and not self._is_closed:
            self._let_go(process)
            log.error("a turn process ended", turns_lost=len(process.turns))
            self._pause = 0.0 if time.monotonic() - process.began >= SHORT_LIFE else _longer(self._pause)
            self._fill_up()

    def _hear(self, message: object, process: _Process) -> None:
        match message:
            case Answered(number):
                process.settle(number, message)
            case Failed(number, failure):
                process.settle(number, TurnFailed(failure))
            case Counted(facts):
                self._measures.count(facts)
            case Woken(topic):
                self._wakeups.publish(topic)
            case Forgotten(conversation_id):
                self._assistant.forget(conversation_id)
                self.forget(conversation_id, told_by=process)

    def _fill_up(self) -> None:
        """Have the processes that are missing come, however often they are refused."""
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._filled())

    async def _filled(self) -> None:
        while self.serving < self._keeper.processes:
            await asyncio.sleep(self._pause)
            await self._add_missing()

    async def _add_missing(self) -> None:
        """As many as are missing, or as can be had now."""
        try:
            for _ in range(self._keeper.processes - self.serving):
                await self._add()
        except KeeperGone:
            log.error("no turn process can be had now", serving=self.serving)
            self._pause = _longer(self._pause)


def _longer(pause: float) -> float:
    return min(2 * pause + 1, LONGEST_PAUSE)


def _settle(answer: asyncio.Future[Any], outcome: Answered | TurnFailed) -> None:
    if answer.done():  # whoever asked has gone
        return
    if isinstance(outcome, Answered):
        answer.set_result(outcome)
    else:
        answer.set_exception(outcome)
