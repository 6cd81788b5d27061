"""How often somebody may do what: by address, by session, and all together. Counted in memory, or in Redis for many processes.

A session is the conversation that a signed token names; who brings no such token counts as one who begins, by address. Loopback is
where tests, health checks and the operator come from: it is only limited where `SAPA_LIMITS=all`. Keys are fingerprints; neither an
address nor a token is kept.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import structlog
from fastapi import HTTPException, Request
from limits import parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from services import own_data, receipts, ticket_files
from services.network_addresses import network_of

log = structlog.get_logger(__name__)
COUNTING_SECONDS = 0.5
"""A Redis that takes connections and answers nothing must not hold up everybody."""
AWAY_SECONDS = 5.0
"""So long a Redis that failed is not asked again, and each process counts for itself."""
LINKS = (receipts.PATH, ticket_files.PATH, own_data.PATH)
"""Where signed links lead, each to work with ciphers and the database."""


@dataclass(frozen=True)
class Rates:
    """Times an interval, in the language of the library `limits`. An address may be a whole office or a mobile operator's.

    Of IPv6 addresses a /64 counts as one (services/network_addresses.py).
    """

    sessions_of_address: str = "60/minute;600/hour"
    messages_of_session: str = "40/minute;600/hour"
    messages_of_address: str = "600/minute"
    reads_of_session: str = "240/minute"
    reads_of_address: str = "1800/minute"
    links_of_address: str = "120/minute;1200/hour"
    messages_of_all: str = "6000/minute"
    told_of_limit: str = "1/minute"
    """On Telegram, where an answer to each message over the limit would be one more."""


class RateLimits:
    """`scope`: `outside` limits what comes from other machines, `all` loopback, too, `off` nobody."""

    def __init__(self, redis_url: str, scope: str, fingerprint: Callable[..., str], rates: Rates | None = None) -> None:
        rates = rates or Rates()
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._connections = self._shared = None
        if redis_url:
            self._connections = ConnectionPool.from_url(redis_url)
            options: dict[str, Any] = {"connection_pool": self._connections}  # passed on to redis-py
            storage = storage_from_string("async+redis://", implementation="redispy", **options)
            self._shared = SlidingWindowCounterRateLimiter(storage)
        self._away_until = 0.0
        self._scope = scope
        self._fingerprint = fingerprint
        self._items = {name: parse_many(rate) for name, rate in vars(rates).items()}

    async def seconds_to_wait(self, *counted: tuple[str, str]) -> int:
        """0 where it may be done; each pair is the name of a rate and who it is counted for.

        While Redis is away this process counts for itself: nobody is refused for that, and a flood is still held up.
        """
        if self._scope == "off":
            return 0
        if self._shared and time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(COUNTING_SECONDS):
                    return await self._count(self._shared, counted)
            except Exception as error:
                log.warning("rates are counted by this process alone", error=type(error).__name__, seconds=AWAY_SECONDS)
                self._away_until = time.monotonic() + AWAY_SECONDS
        return await self._count(self._own, counted)

    async def close(self) -> None:
        if self._connections:
            with suppress(RedisError, OSError):
                await self._connections.aclose()

    async def _count(self, limiter: SlidingWindowCounterRateLimiter, counted: tuple[tuple[str, str], ...]) -> int:
        for rate, who in counted:
            key = self._fingerprint("rate", who)[:32]
            for item in self._items[rate]:
                if not await limiter.hit(item, rate, key):
                    stats = await limiter.get_window_stats(item, rate, key)
                    return max(1, min(math.ceil(stats.reset_time - time.time()), item.get_expiry()))
        return 0

    def limits_address(self, address: str) -> bool:
        return self._scope == "all" or (self._scope == "outside" and not _is_loopback(address))

    def dependency(self, conversation_of: Callable[[str], str | None]) -> Callable[[Request], Awaitable[None]]:
        """For routes that citizens call. Refuses with 429, `Retry-After` and, by bot/problems.py, a sentence.

        `conversation_of` gives the conversation that a token names, None for one that we did not sign.
        """

        async def limited(request: Request) -> None:
            address = request.client.host if request.client else ""
            if not self.limits_address(address):
                return
            wait = await self.seconds_to_wait(*_counted(request, network_of(address), conversation_of(_token(request))))
            if wait:
                raise HTTPException(429, headers={"Retry-After": str(wait)})

        return limited


def _token(request: Request) -> str:
    """From where the route itself takes it: what else the client sends counts for nothing."""
    if not request.url.path.startswith("/api/"):
        return request.cookies.get("sapa_chat", "")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _counted(request: Request, network: str, conversation: str | None) -> list[tuple[str, str]]:
    if request.url.path.startswith(LINKS):
        return [("links_of_address", network)]
    opens = request.url.path == "/api/chat/sessions" and request.method == "POST"
    if opens or conversation is None:
        return [("sessions_of_address", network)]
    kind = "messages" if request.method == "POST" else "reads"
    counted = [(f"{kind}_of_session", conversation), (f"{kind}_of_address", network)]
    return [*counted, ("messages_of_all", "")] if kind == "messages" else counted


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
