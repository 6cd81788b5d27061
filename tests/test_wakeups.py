"""Wake-ups within a process, and over Redis between processes; without Redis they are found by looking."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot.message_watch import MessageWatch
from services.assembly import Services
from services.wakeups import Wakeups
from store.conversations import Reply


class RedisServer:
    """A Redis of the test's own on a socket, to be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"unix://{folder}/redis.sock"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "no redis-server: apt-get install redis-server"
        options = ["--port", "0", "--unixsocket", f"{self._folder}/redis.sock", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Wakeups]:
    wakeups = Wakeups(url)
    running = asyncio.create_task(wakeups.run())
    await until(wakeups, reaches=True)
    yield wakeups
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await wakeups.close()


async def until(wakeups: Wakeups, *, reaches: bool) -> None:
    deadline = time.monotonic() + 30
    while wakeups.reaches_others is not reaches:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_listener_is_woken_from_any_thread_and_by_its_own_topic_only() -> None:
    wakeups = Wakeups()
    with wakeups.listen("a") as a, wakeups.listen("b") as b:
        thread = threading.Thread(target=wakeups.publish, args=["a"])
        thread.start()
        assert await a.wait(20)
        thread.join()
        assert not await b.wait(0)
        wakeups.publish("b")
        await asyncio.sleep(0)
        assert await b.wait(20), "a wake-up between two waits is kept"
        assert not await b.wait(0)


async def test_of_two_listeners_one_goes_and_the_other_is_still_woken() -> None:
    wakeups = Wakeups()
    with wakeups.listen("a") as stays:
        with wakeups.listen("a"):
            pass
        wakeups.publish("a")
        assert await stays.wait(20)


async def test_a_message_wakes_who_listens_to_its_conversation(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    with services.wakeups.listen(conversation) as listener:
        await asyncio.to_thread(services.conversations.add_replies, conversation, [Reply("halo")])
        assert await listener.wait(20)


async def test_what_another_process_has_written_is_found_by_looking(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    elsewhere, here = services.conversations, Wakeups()
    watch = MessageWatch(services.conversations, here)
    with here.listen(conversation) as listener:
        await watch.look()
        assert not await listener.wait(0)
        elsewhere.add_replies(conversation, [Reply("halo")])
        await watch.look()
        assert await listener.wait(20)
        await watch.look()
        await asyncio.sleep(0)
        assert not await listener.wait(0)


@pytest.mark.scale
async def test_redis_carries_wake_ups_between_processes_and_may_die(redis: RedisServer) -> None:
    async with connected(redis.url) as one, connected(redis.url) as other:
        with other.listen("a") as listener:
            await listener.wait(0)
            one.publish("a")
            assert await listener.wait(20)
            redis.kill()
            await until(one, reaches=False)
            await until(other, reaches=False)
            one.publish("a")  # reaches nobody, and is no error
            redis.start()
            assert await listener.wait(30), "whoever waits looks again once Redis is back"
            await until(one, reaches=True)
            await until(other, reaches=True)
            await listener.wait(0.2)
            one.publish("a")
            assert await listener.wait(20)


@pytest.mark.scale
async def test_wake_ups_right_after_each_other_all_arrive(redis: RedisServer) -> None:
    async with connected(redis.url) as one, connected(redis.url) as other:
        with other.listen("a") as a, other.listen("b") as b:
            for _ in range(2):  # both go out with the first wake-up; that of the second finds nothing to send
                await a.wait(0)
                await b.wait(0)
                one.publish("a")
                await asyncio.sleep(0)
                one.publish("b")
                assert await a.wait(20)
                assert await b.wait(20)
