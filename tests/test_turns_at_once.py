"""A process works on few turns at a time, in the order in which they came."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest

from bot.turns_at_once import TurnsAtOnce, others_first
from services.assembly import Services
from tests.citizen import Citizen

MANY = 20
"""More than turns at a time and than threads for everything else."""


class Watched:
    """Turns of `limit` at a time, each of which waits until it is let go; `begun` says who has begun, in order."""

    def __init__(self, limit: int) -> None:
        self.turns = TurnsAtOnce(limit)
        self.begun: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}

    async def turn(self, name: str) -> None:
        async with self.turns.one():
            await self._work(name)

    async def turn_with_a_look_elsewhere(self, name: str) -> None:
        async with self.turns.one():
            self.begun.append(name)
            async with others_first():
                await self._work(f"{name} elsewhere")
            self.begun.append(f"{name} again")

    async def _work(self, name: str) -> None:
        self.begun.append(name)
        self.gates[name] = asyncio.Event()
        await self.gates[name].wait()

    async def let(self, name: str) -> None:
        self.gates[name].set()
        await settled()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_turns_beyond_the_limit_wait_in_the_order_of_arrival() -> None:
    watched = Watched(2)
    async with asyncio.TaskGroup() as tasks:
        for name in "abcde":
            tasks.create_task(watched.turn(name))
        await settled()
        assert watched.begun == ["a", "b"]
        for name, then in (("b", "abc"), ("a", "abcd"), ("d", "abcde")):
            await watched.let(name)
            assert watched.begun == list(then)
        await watched.let("c")
        await watched.let("e")


async def test_a_turn_that_waits_for_somebody_else_lets_others_work_and_then_goes_before_those_that_came_later() -> None:
    watched = Watched(1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watched.turn_with_a_look_elsewhere("a"))
        await settled()
        for name in "bc":
            tasks.create_task(watched.turn(name))
        await settled()
        assert watched.begun == ["a", "a elsewhere", "b"]
        await watched.let("a elsewhere")
        assert watched.begun[3:] == []
        await watched.let("b")
        assert watched.begun[3:] == ["a again", "c"]
        await watched.let("c")


async def test_a_turn_that_is_given_up_while_it_waits_costs_nobody_a_place() -> None:
    watched = Watched(1)
    first = asyncio.create_task(watched.turn("a"))
    await settled()
    second, third = asyncio.create_task(watched.turn("b")), asyncio.create_task(watched.turn("c"))
    await settled()
    second.cancel()
    await watched.let("a")
    assert watched.begun == ["a", "c"]
    await watched.let("c")
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_a_turn_that_is_given_up_in_the_moment_when_it_may_begin_passes_its_place_on() -> None:
    watched = Watched(1)
    tasks = {name: asyncio.create_task(watched.turn(name)) for name in "abc"}
    await settled()
    watched.gates["a"].set()
    await asyncio.sleep(0)  # the first ends and gives its place to the second
    tasks["b"].cancel()
    await settled()
    assert watched.begun[-1] == "c"
    await watched.let("c")
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("moment", ["elsewhere", "waiting to come back"])
async def test_a_turn_that_is_given_up_elsewhere_leaves_exactly_one_place(moment: str) -> None:
    watched = Watched(1)
    away = asyncio.create_task(watched.turn_with_a_look_elsewhere("a"))
    await settled()
    others = [asyncio.create_task(watched.turn(name)) for name in "bc"]
    await settled()
    if moment == "waiting to come back":
        await watched.let("a elsewhere")
    away.cancel()
    await settled()
    assert watched.begun == ["a", "a elsewhere", "b"], "one at a time still"
    await watched.let("b")
    assert watched.begun[3:] == ["c"]
    await watched.let("c")
    await asyncio.gather(away, *others, return_exceptions=True)
    assert watched.turns._free == 1


async def test_a_place_is_left_once_and_never_taken_for_a_turn_that_is_over() -> None:
    turns = TurnsAtOnce(1)

    async def outlive(over: asyncio.Event) -> None:
        await over.wait()
        async with others_first():
            pass

    over = asyncio.Event()
    async with turns.one():
        later = asyncio.create_task(outlive(over))
        async with others_first(), others_first():
            assert turns._free == 1
        assert turns._free == 0
    over.set()
    await later
    assert turns._free == 1


async def test_outside_a_turn_nothing_is_waited_for() -> None:
    async with others_first():
        pass


async def test_a_service_that_hangs_keeps_nobody_waiting_but_those_who_asked_it(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, over = threading.Semaphore(0), threading.Event()

    def hang(*_args: Any) -> None:
        asked.release()
        over.wait(20)

    monkeypatch.setattr(services.simpel, "check", hang)
    waiting = [await Citizen(client).arrives() for _ in range(MANY)]
    async with asyncio.TaskGroup() as tasks:
        for citizen in waiting:
            tasks.create_task(citizen.says("cek status SIMPEL DEMO-SMP-000101 kode 7K4Q2A"))
        try:
            all_ask = await asyncio.to_thread(lambda: all(asked.acquire(timeout=5) for _ in waiting))
            assert all_ask, "each of them is in its action"
            other = await Citizen(client).arrives()
            assert "SIMPEL" in await asyncio.wait_for(other.says("apa itu simpel?"), 5)
        finally:
            over.set()
