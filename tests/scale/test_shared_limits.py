"""Limits of how often, counted in a real Redis by several processes, also while it dies, hangs and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from bot import rate_limits
from bot.rate_limits import COUNTING_SECONDS, RateLimits, Rates
from tests.test_wakeups import RedisServer, redis  # noqa: F401 a fixture

pytestmark = pytest.mark.scale
WHO = ("messages_of_session", "a session")
AWAY_SECONDS = 0.5


@pytest.fixture
async def server(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:  # noqa: F811 the fixture of this name
    monkeypatch.setattr(rate_limits, "AWAY_SECONDS", AWAY_SECONDS)
    await until_shared(redis)
    return redis


async def until_shared(server: RedisServer) -> None:
    """Until Redis answers, by counts of their own name."""
    for _ in range(200):
        one, other = of_a_process(server, "1/day"), of_a_process(server, "1/day")
        waits = [await limits.seconds_to_wait(("messages_of_session", "a trial")) for limits in (one, other)]
        await one.close()
        await other.close()
        if waits[1]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("Redis does not answer")


def of_a_process(server: RedisServer, rate: str) -> RateLimits:
    return RateLimits(server.url, "all", lambda *parts: "".join(parts).ljust(32), Rates(messages_of_session=rate))


async def served(limits: RateLimits, tries: int) -> int:
    """How many of so many messages may be sent."""
    return [await limits.seconds_to_wait(WHO) for _ in range(tries)].count(0)


async def test_processes_count_together(server: RedisServer) -> None:
    one, other = of_a_process(server, "5/day"), of_a_process(server, "5/day")
    assert await served(one, 3) == 3
    assert await served(other, 3) == 2
    assert await served(one, 1) == 0
    await one.close()
    await other.close()


@pytest.mark.parametrize("trouble", ["killed", "hanging"])
async def test_without_redis_each_process_counts_alone_and_together_again_when_it_is_back(
    trouble: str, server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = of_a_process(server, "5/day"), of_a_process(server, "5/day")
    assert await served(one, 5) == 5
    if trouble == "killed":
        server.kill()
    else:
        os.kill(server.pid, signal.SIGSTOP)
    started = time.monotonic()
    assert await served(one, 20) == 5, "not all are refused, and not all are let in"
    assert await served(other, 20) == 5
    assert time.monotonic() - started < 2 * COUNTING_SECONDS + 20 * AWAY_SECONDS, "nobody waits for it again and again"
    assert "counted by this process alone" in capsys.readouterr().out
    if trouble == "killed":
        server.start()
    else:
        os.kill(server.pid, signal.SIGCONT)
    await asyncio.sleep(AWAY_SECONDS + 0.1)
    await until_shared(server)
    assert await served(one, 3) + await served(other, 5) == (5 if trouble == "killed" else 0), "one count for both again"
    await one.close()
    await other.close()
