"""Turns that are handed to other processes. Those are stood in for by tasks at the other end of the same sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import bot.turn_pool
from bot.conversation import ConversationService, Interrupted, UnknownConversation
from bot.messages import Inbound, Outbound
from bot.turn_keeper import DONE, LONGEST, Keeper, KeeperGone
from bot.turn_measures import TurnMeasures
from bot.turn_pool import TURNS_EACH, TurnPool
from bot.turn_wire import Answered, Ask, Counted, Failed, Failure, Forgotten, TurnFailed, Woken, packed, unpacked
from services.assembly import Services
from services.wakeups import Wakeups
from store.database import utc_now
from store.turn_queue import HELD, Place


class StandIn:
    """A process that answers, as a task: it keeps what it is told and says what the test says."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid, self.asked, self.forgotten = pid, [], []
        self._connection = connection
        self.ended = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    asked: list[Ask]
    forgotten: list[str]

    async def _run(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(sock=self._connection)
        while True:
            try:
                message = await unpacked(reader)
            except EOFError:
                self._writer.close()
                self.ended.set()
                return
            if isinstance(message, Forgotten):
                self.forgotten.append(message.conversation_id)
            else:
                self.asked.append(message)

    def say(self, message: object) -> None:
        self._writer.write(packed(message))

    def answer(self, ask: Ask, text: str = "ya", *, is_left: bool = False) -> None:
        self.say(Answered(ask.number, [Outbound(1, "bot", text, utc_now())], is_left))

    def die(self) -> None:
        self._writer.transport.abort()


class StandInKeeper(Keeper):
    def __init__(self, processes: int) -> None:
        self.processes, self.made, self.models = processes, [], []
        self.is_gone, self.is_closed, self.refuses, self.forks_refused = False, False, 0, 0

    made: list[StandIn]
    models: list[Path]

    async def fork(self) -> tuple[socket.socket, int]:
        self.forks_refused -= 1
        if self.is_gone or self.forks_refused >= 0:
            raise KeeperGone
        ours, theirs = socket.socketpair()
        self.made.append(StandIn(theirs, 1_000_000_000 + len(self.made)))
        return ours, self.made[-1].pid

    def answers_all(self) -> None:
        for made in self.made:
            for ask in made.asked:
                made.answer(ask)

    async def refresh(self, model: Path) -> bool:
        if self.is_gone:
            raise KeeperGone
        self.models.append(model)
        self.refuses -= 1
        return self.refuses < 0

    def close(self) -> None:
        self.is_closed = True


class StandInAssistant:
    path = Path("models/sapa-0123456789ab.tar.gz")

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget(self, conversation_id: str) -> None:
        self.forgotten.append(conversation_id)

    def keep_trackers(self, number: int) -> None:
        self.kept = number


@asynccontextmanager
async def pool_of(processes: int) -> AsyncIterator[tuple[TurnPool, StandInKeeper]]:
    keeper = StandInKeeper(processes)
    pool = TurnPool(keeper, StandInAssistant(), Wakeups(), TurnMeasures())  # type: ignore[arg-type]  # what it asks of an assistant
    await pool.start()
    try:
        yield pool, keeper
    finally:
        await pool.close()
        await asyncio.gather(*(made.task for made in keeper.made))


def said(conversation: str, number: int = 0) -> Inbound:
    return Inbound(conversation, f"m{number}", "halo")


async def until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.005)


async def test_a_turn_is_answered_by_another_process_with_its_place_and_its_reference() -> None:
    async with pool_of(1) as (pool, keeper):
        place = Place(7, "a", 0)
        HELD.set(place)
        turn = asyncio.create_task(pool.handle(said("a")))
        await until(lambda: keeper.made[0].asked)
        (ask,) = keeper.made[0].asked
        assert (ask.inbound, ask.place) == (said("a"), place)
        keeper.made[0].answer(ask, "Halo!", is_left=True)
        assert [reply.text for reply in await turn] == ["Halo!"]
        assert place.is_left


async def test_turns_beyond_what_the_processes_work_on_wait_in_order_and_go_to_whoever_is_free() -> None:
    async with pool_of(2) as (pool, keeper):
        turns = [asyncio.create_task(pool.handle(said(f"c{number}", number))) for number in range(2 * TURNS_EACH + 2)]
        one, other = keeper.made
        await until(lambda: len(one.asked) == len(other.asked) == TURNS_EACH)
        await asyncio.sleep(0.02)
        assert len(one.asked) == len(other.asked) == TURNS_EACH
        one.answer(one.asked[0])
        await until(lambda: len(one.asked) == TURNS_EACH + 1)
        assert len(other.asked) == TURNS_EACH
        one.answer(one.asked[1])
        await until(lambda: len(one.asked) == TURNS_EACH + 2)
        keeper.answers_all()
        await asyncio.gather(*turns)


async def test_a_process_that_worked_on_a_conversation_before_gets_its_next_turn_out_of_the_first_that_wait() -> None:
    async with pool_of(2) as (pool, keeper):
        own = [name for name in map(str, range(100)) if hash(name) % 2 == 1]
        turns = [asyncio.create_task(pool.handle(said(f"x{number}"))) for number in range(2 * TURNS_EACH)]
        one, other = keeper.made
        await until(lambda: len(one.asked) == len(other.asked) == TURNS_EACH)
        foreign = next(name for name in map(str, range(100)) if hash(name) % 2 == 0)
        turns += [asyncio.create_task(pool.handle(said(name))) for name in (foreign, own[0])]
        await asyncio.sleep(0.01)
        other.answer(other.asked[0])
        await until(lambda: len(other.asked) == TURNS_EACH + 1)
        assert other.asked[-1].inbound.conversation_id == own[0]
        one.answer(one.asked[0])
        await until(lambda: len(one.asked) == TURNS_EACH + 1)
        keeper.answers_all()
        await asyncio.gather(*turns)


async def test_turns_that_wait_for_a_slow_service_keep_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.turn_pool, "SLOW_SECONDS", 0.02)
    async with pool_of(1) as (pool, keeper):
        turns = [asyncio.create_task(pool.handle(said(f"c{number}"))) for number in range(TURNS_EACH + 1)]
        await until(lambda: len(keeper.made[0].asked) == TURNS_EACH + 1)  # though none of them was answered
        for ask in keeper.made[0].asked:
            keeper.made[0].answer(ask)
        await asyncio.gather(*turns)


async def test_a_process_never_has_more_turns_than_it_has_threads_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.turn_pool, "SLOW_SECONDS", 0.01)
    monkeypatch.setattr(bot.turn_pool, "MOST_EACH", 3)
    async with pool_of(1) as (pool, keeper):
        turns = [asyncio.create_task(pool.handle(said(f"c{number}"))) for number in range(5)]
        await until(lambda: len(keeper.made[0].asked) == 3)
        await asyncio.sleep(0.05)
        assert len(keeper.made[0].asked) == 3
        keeper.made[0].answer(keeper.made[0].asked[0])
        await until(lambda: len(keeper.made[0].asked) == 4)
        for ask in keeper.made[0].asked[1:]:
            keeper.made[0].answer(ask)
        await until(lambda: len(keeper.made[0].asked) == 5)
        keeper.made[0].answer(keeper.made[0].asked[4])
        await asyncio.gather(*turns)


async def test_the_turns_of_a_process_that_ends_can_be_sent_again_and_another_takes_its_place() -> None:
    async with pool_of(2) as (pool, keeper):
        turn = asyncio.create_task(pool.handle(said("a")))
        await until(lambda: any(made.asked for made in keeper.made))
        next(made for made in keeper.made if made.asked).die()
        with pytest.raises(TurnFailed) as failed:
            await turn
        assert failed.value.failure is Failure.NOT_NOW
        assert pool.serving == 1
        await until(lambda: pool.serving == 2)
        assert len(keeper.made) == 3


def _has_begun(keeper: StandInKeeper, made_before: int) -> bool:
    return len(keeper.made) == made_before + 1 and hasattr(keeper.made[-1], "_writer")


def _has_lost_it(pool: TurnPool, keeper: StandInKeeper, made_before: int) -> bool:
    return not pool.serving or len(keeper.made) > made_before + 1


async def test_one_that_keeps_ending_is_replaced_after_longer_and_longer_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        if seconds >= 1:
            pauses.append(seconds)
        await sleep(0 if seconds >= 1 else seconds)

    async with pool_of(1) as (pool, keeper):
        monkeypatch.setattr(asyncio, "sleep", noted)
        for made_before in range(8):
            await until(partial(_has_begun, keeper, made_before))
            keeper.made[-1].die()
            await until(partial(_has_lost_it, pool, keeper, made_before))
        monkeypatch.undo()
    assert pauses[:7] == [1, 3, 7, 15, 31, 60, 60]


async def test_turns_that_wait_when_the_last_process_ends_can_be_sent_again() -> None:
    async with pool_of(1) as (pool, keeper):
        keeper.is_gone = True
        turns = [asyncio.create_task(pool.handle(said(f"c{number}"))) for number in range(TURNS_EACH + 2)]
        await until(lambda: len(keeper.made[0].asked) == TURNS_EACH)
        keeper.made[0].die()
        found = await asyncio.gather(*turns, return_exceptions=True)
        assert [type(one) for one in found] == [TurnFailed] * len(turns)
        assert pool.serving == 0


async def test_a_process_that_is_stuck_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.turn_pool, "STUCK_SECONDS", 0.05)
    async with pool_of(1) as (pool, keeper):
        killed: list[tuple[int, int]] = []

        def kill(pid: int, sign: int) -> None:
            killed.append((pid, sign))
            keeper.made[0].die()

        monkeypatch.setattr(os, "kill", kill)
        with pytest.raises(TurnFailed):
            await pool.handle(said("a"))
        assert killed == [(keeper.made[0].pid, signal.SIGKILL)]


async def test_renewed_processes_get_the_new_turns_and_the_old_finish_theirs() -> None:
    async with pool_of(2) as (pool, keeper):
        turn = asyncio.create_task(pool.handle(said("a")))
        await until(lambda: any(made.asked for made in keeper.made))
        busy = next(made for made in keeper.made if made.asked)
        (idle,) = (made for made in keeper.made if made is not busy)
        await pool.renew()
        assert keeper.models == [StandInAssistant.path]
        assert len(keeper.made) == 4
        await until(idle.ended.is_set)
        assert not busy.ended.is_set()
        later = asyncio.create_task(pool.handle(said("b")))
        await until(lambda: any(made.asked for made in keeper.made[2:]))
        busy.answer(busy.asked[0], "alt")
        assert (await turn)[0].text == "alt"
        await until(busy.ended.is_set)
        new = next(made for made in keeper.made[2:] if made.asked)
        new.answer(new.asked[0])
        await later


async def test_what_could_not_be_loaded_is_tried_again_and_the_old_processes_serve_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.turn_pool, "AGAIN_SECONDS", 0.01)
    async with pool_of(1) as (pool, keeper):
        keeper.refuses = 2
        await pool.renew()
        assert len(keeper.models) == 3
        assert (pool.serving, len(keeper.made)) == (1, 2)


async def test_without_the_keeper_old_knowledge_is_no_longer_served() -> None:
    async with pool_of(2) as (pool, keeper):
        keeper.is_gone = True
        await pool.renew()
        assert pool.serving == 0


async def test_a_server_whose_keeper_is_gone_from_the_start_answers_alone() -> None:
    keeper = StandInKeeper(2)
    keeper.is_gone = True
    pool = TurnPool(keeper, StandInAssistant(), Wakeups(), TurnMeasures())  # type: ignore[arg-type]  # as above
    await pool.start()
    assert pool.serving == 0
    await pool.close()
    assert keeper.is_closed


async def test_what_a_process_counts_wakes_and_forgets_reaches_this_one_and_the_others() -> None:
    keeper, assistant, wakeups, measures = StandInKeeper(2), StandInAssistant(), Wakeups(), TurnMeasures()
    pool = TurnPool(keeper, assistant, wakeups, measures)  # type: ignore[arg-type]  # as above
    await pool.start()
    one, other = keeper.made
    await until(lambda: hasattr(one, "_writer"))
    with wakeups.listen("a") as listener:
        one.say(Counted({"status": "answered", "milliseconds": 12.0}))
        one.say(Woken("a"))
        one.say(Forgotten("a"))
        assert await listener.wait(5)
    await until(lambda: other.forgotten)
    assert (assistant.forgotten, one.forgotten, other.forgotten) == (["a"], [], ["a"])
    assert measures.registry.get_sample_value("sapa_turns_total", {"status": "answered"}) == 1
    assert measures.registry.get_sample_value("sapa_turn_processes") == 2
    pool.forget("b")
    await until(lambda: one.forgotten and len(other.forgotten) == 2)
    await pool.close()


async def test_whoever_gives_up_waiting_takes_nobodys_place() -> None:
    async with pool_of(1) as (pool, keeper):
        turns = [asyncio.create_task(pool.handle(said(f"c{number}"))) for number in range(TURNS_EACH + 2)]
        await until(lambda: len(keeper.made[0].asked) == TURNS_EACH)
        turns[TURNS_EACH].cancel()
        turns[0].cancel()
        await until(lambda: len(keeper.made[0].asked) == TURNS_EACH + 1)
        assert keeper.made[0].asked[-1].inbound.conversation_id == f"c{TURNS_EACH + 1}"
        keeper.made[0].answer(keeper.made[0].asked[0])  # nobody waits for it any more
        for ask in keeper.made[0].asked[1:]:
            keeper.made[0].answer(ask)
        await asyncio.gather(*turns, return_exceptions=True)


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(Failure.UNKNOWN, UnknownConversation), (Failure.NOT_NOW, Interrupted), (Failure.BROKEN, TurnFailed)],
)
async def test_a_turn_that_fails_in_another_process_fails_here_in_the_same_way(
    services: Services, assistant: Any, failure: Failure, raised: type[Exception]
) -> None:
    async with pool_of(1) as (pool, keeper):
        service = ConversationService(assistant, services, pool=pool)
        turn = asyncio.create_task(service.handle(said("a")))
        await until(lambda: keeper.made[0].asked)
        keeper.made[0].say(Failed(keeper.made[0].asked[0].number, failure))
        with pytest.raises(raised):
            await turn


async def test_a_process_that_was_forked_before_the_knowledge_changed_is_not_kept() -> None:
    """It was asked for, to replace another, just before the keeper loaded what is new."""
    async with pool_of(1) as (pool, keeper):
        fork, forked = keeper.fork, asyncio.Event()

        async def slow_fork() -> tuple[socket.socket, int]:
            made = await fork()
            if len(keeper.made) == 2:
                forked.set()
                await asyncio.sleep(0.05)
            return made

        keeper.fork = slow_fork  # type: ignore[method-assign]  # a slower one for this test
        adding = asyncio.create_task(pool._add())
        await forked.wait()
        await pool.renew()
        await adding
        await until(lambda: keeper.made[0].ended.is_set() and keeper.made[1].ended.is_set())
        assert pool.serving == 2
        assert not any(made.ended.is_set() for made in keeper.made[2:])


async def test_a_process_that_does_not_end_with_the_server_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.turn_pool, "CLOSING_SECONDS", 0.05)
    keeper = StandInKeeper(1)
    pool = TurnPool(keeper, StandInAssistant(), Wakeups(), TurnMeasures())  # type: ignore[arg-type]  # as above
    await pool.start()
    await until(lambda: hasattr(keeper.made[0], "_writer"))
    keeper.made[0].task.cancel()
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _sign: killed.append(pid))
    await pool.close()
    assert killed == [keeper.made[0].pid]
    assert keeper.is_closed
    keeper.made[0].die()


async def test_where_no_process_can_be_forked_now_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pool_of(1) as (pool, keeper):
        sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
        await until(lambda: hasattr(keeper.made[0], "_writer"))
        keeper.is_gone = True
        keeper.made[0].die()
        await until(lambda: not pool.serving)
        await sleep(0.05)
        keeper.is_gone = False
        await until(lambda: pool.serving)


async def test_processes_that_could_not_be_had_at_the_start_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
    keeper = StandInKeeper(3)
    keeper.forks_refused = 3
    pool = TurnPool(keeper, StandInAssistant(), Wakeups(), TurnMeasures())  # type: ignore[arg-type]  # as above
    await pool.start()
    assert pool.serving == 0
    await until(lambda: pool.serving == 3)
    await pool.close()
    await asyncio.gather(*(made.task for made in keeper.made))


async def test_a_process_that_was_refused_when_all_were_renewed_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pool_of(2) as (pool, keeper):
        keeper.forks_refused = 1
        await pool.renew()
        assert pool.serving == 1
        await until(lambda: pool.serving == 2)
        assert len(keeper.made) == 4


async def test_of_several_processes_that_end_while_none_can_be_had_each_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pool_of(2) as (pool, keeper):
        sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
        await until(lambda: all(hasattr(made, "_writer") for made in keeper.made))
        keeper.forks_refused = 3
        for made in list(keeper.made):
            made.die()
        await until(lambda: pool.serving == 0)
        await until(lambda: pool.serving == 2)
        assert len(keeper.made) == 4


# The keeper


async def test_an_answer_that_comes_after_it_was_given_up_is_not_taken_for_the_next_one() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keeper = Keeper(1)
    keeper.attach(ours, 0)
    ours.settimeout(0.01)
    with pytest.raises(KeeperGone):
        await keeper.refresh(StandInAssistant.path)
    ours.settimeout(5)
    forking = asyncio.create_task(keeper.fork())
    late = await asyncio.to_thread(theirs.recv, LONGEST)
    asked, files, _, _ = await asyncio.to_thread(socket.recv_fds, theirs, LONGEST, 1)
    for question, answer in ((late, DONE), (asked, b"4711")):
        theirs.send(question.partition(b":")[0] + b":" + answer)
    connection, pid = await forking
    assert pid == 4711
    connection.close()
    for file in files:
        os.close(file)
    ours.close()
    theirs.close()


async def test_where_no_more_files_may_be_open_no_process_can_be_had_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses() -> None:
        raise OSError(24, "Too many open files")

    ours, theirs = socket.socketpair()
    monkeypatch.setattr(socket, "socketpair", refuses)
    with ours, theirs, pytest.raises(KeeperGone):
        keeper = Keeper(1)
        keeper.attach(ours, 0)
        await keeper.fork()
