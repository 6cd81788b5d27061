"""Wakes what waits for something new in a conversation, in this process and, over Redis, in the others.

A wake-up carries no data and decides nothing: whoever is woken looks into the database. So a lost one costs time and nothing else,
and everybody who waits looks by himself after a while as well. Without Redis, or while it is away, `reaches_others` is false.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
KEPT = 10_000
"""Wake-ups that wait to be sent; of more, the oldest are dropped."""
REDIS_SECONDS = 2.0
LONGEST_PAUSE = 5.0


class Listener:
    """Waits for the wake-ups of a topic; one that came since the last `wait` ended is not missed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """From any thread."""
        with suppress(RuntimeError):  # its loop has ended
            self._loop.call_soon_threadsafe(self._woken.set)

    async def wait(self, seconds: float) -> bool:
        """Until a wake-up, or for `seconds`; whether there was one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        woken = self._woken.is_set()
        self._woken.clear()
        return woken


class Wakeups:
    def __init__(self, redis_url: str = "") -> None:
        self._redis: Redis | None = None
        if redis_url:
            self._redis = Redis.from_url(redis_url, socket_connect_timeout=REDIS_SECONDS, health_check_interval=15)
            # Channels are shared by all databases of a Redis server.
            self._channel = f"sapa:wake:{self._redis.connection_pool.connection_kwargs.get('db', 0)}"
        self._listeners: dict[str, set[Listener]] = {}
        self._to_send: deque[str] = deque(maxlen=KEPT)
        self._sending: Listener | None = None
        self._relayed: Callable[[str], None] | None = None
        self.reaches_others = False

    @contextmanager
    def listen(self, topic: str) -> Iterator[Listener]:
        listener = Listener()
        self._listeners.setdefault(topic, set()).add(listener)
        try:
            yield listener
        finally:
            listeners = self._listeners[topic]
            listeners.discard(listener)
            if not listeners:
                del self._listeners[topic]

    def relay(self, to: Callable[[str], None]) -> None:
        """From now on nobody listens here: whatever is published goes to the process that does."""
        self._relayed = to

    def publish(self, topic: str) -> None:
        """Wake whoever listens to `topic` anywhere. From any thread; never waits, never fails."""
        if self._relayed:
            self._relayed(topic)
            return
        self.wake_here(topic)
        if self._sending and self.reaches_others:
            self._to_send.append(topic)
            self._sending.wake()

    def wake_here(self, topic: str) -> None:
        for listener in tuple(self._listeners.get(topic, ())):
            listener.wake()

    async def run(self) -> None:
        """Until it is cancelled: send and receive over Redis, and connect again where it was away."""
        if self._redis is None:
            return
        pause = 0.1
        self._sending = Listener()
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(self._channel)
                    self.reaches_others, pause = True, 0.1
                    log.info("redis connected")
                    self.wake_all()  # what came meanwhile was not heard
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._receive(subscription))
                        both.create_task(self._send(self._sending))
            except* (RedisError, OSError) as errors:
                log.warning("redis is away", error=type(errors.exceptions[0]).__name__)
            finally:
                self.reaches_others = False
                self._to_send.clear()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def close(self) -> None:
        if self._redis is not None:
            with suppress(RedisError, OSError):
                await self._redis.aclose()

    async def _receive(self, subscription: Any) -> None:
        while True:
            message = await subscription.get_message(timeout=REDIS_SECONDS)
            if message:
                self.wake_here(message["data"].decode("utf-8", "replace"))

    async def _send(self, sending: Listener) -> None:
        assert self._redis is not None
        while True:
            await sending.wait(60)
            topics = []
            while self._to_send:
                topics.append(self._to_send.popleft())
            if topics:
                async with asyncio.timeout(REDIS_SECONDS), self._redis.pipeline(transaction=False) as pipeline:
                    for topic in dict.fromkeys(topics):
                        pipeline.publish(self._channel, topic)
                    await pipeline.execute()

    def wake_all(self) -> None:
        for topic in tuple(self._listeners):
            self.wake_here(topic)
