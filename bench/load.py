"""Senders that talk to a server one message after another, and what their turns took."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

TURNS_A_CONVERSATION = 10
TIMEOUT = 120
"""Seconds."""


class Channel(Protocol):
    """How one system is talked to over HTTP."""

    @property
    def url(self) -> str: ...

    async def open(self, client: aiohttp.ClientSession) -> str:
        """A new conversation; gives what names it in `send`."""

    async def send(self, client: aiohttp.ClientSession, conversation: str, text: str) -> bool:
        """One turn. False where the system failed or said nothing."""


@dataclass(frozen=True)
class StockChannel:
    """Rasa's REST channel: a sender id makes a conversation."""

    url: str

    async def open(self, client: aiohttp.ClientSession) -> str:
        return uuid.uuid4().hex

    async def send(self, client: aiohttp.ClientSession, conversation: str, text: str) -> bool:
        body = {"sender": conversation, "message": text}
        async with client.post(f"{self.url}/webhooks/rest/webhook", json=body) as response:
            return response.status == 200 and bool(await response.json())


@dataclass(frozen=True)
class OwnChannel:
    """The web channel of Sapa Setneg: a conversation is a signed token, asked for first."""

    url: str

    async def open(self, client: aiohttp.ClientSession) -> str:
        async with client.post(f"{self.url}/api/chat/sessions", json={"locale": "id"}, raise_for_status=True) as response:
            return str((await response.json())["token"])

    async def send(self, client: aiohttp.ClientSession, conversation: str, text: str) -> bool:
        body = {"client_message_id": str(uuid.uuid4()), "text": text}
        headers = {"Authorization": f"Bearer {conversation}"}
        async with client.post(f"{self.url}/api/chat/messages", json=body, headers=headers) as response:
            return response.status == 200 and bool((await response.json())["messages"])


@dataclass
class Turns:
    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def figures(self) -> dict[str, float]:
        return {
            "turns": len(self.milliseconds),
            "failed": self.failed,
            "mean": round(statistics.mean(self.milliseconds), 2),
            **percentiles(self.milliseconds),
            "turns_per_second": round(len(self.milliseconds) / self.seconds, 1),
        }


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return {name: round(cuts[rank - 1], 1) for name, rank in (("p50", 50), ("p95", 95), ("p99", 99))}


def client_for(senders: int) -> aiohttp.ClientSession:
    """aiohttp's: a request takes 0.13 ms of the processor, with httpx 2.0, and the servers need it."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), connector=aiohttp.TCPConnector(limit=senders))


async def talk(channel: Channel, texts: list[str], senders: int) -> Turns:
    """Shares `texts` among the senders. Opening a conversation counts in `seconds` and in no turn."""
    turns = Turns()
    async with client_for(senders) as client:
        started = time.perf_counter()
        await asyncio.gather(*(_sender(channel, client, texts[number::senders], turns) for number in range(senders)))
        turns.seconds = time.perf_counter() - started
    return turns


async def _sender(channel: Channel, client: aiohttp.ClientSession, texts: list[str], turns: Turns) -> None:
    conversation = ""
    for number, text in enumerate(texts):
        if number % TURNS_A_CONVERSATION == 0:
            conversation = await channel.open(client)
        started = time.perf_counter()
        answered = await channel.send(client, conversation, text)
        turns.milliseconds.append((time.perf_counter() - started) * 1000)
        turns.failed += not answered


async def grow(channel: Channel, text: str, turns: int, conversations: int) -> dict[str, float]:
    """The median milliseconds of a turn at the first, the middle and the last of `turns` of one conversation, over `conversations`.

    All turns say the same, so that only the length of the conversation differs. "At" is the five turns around one, or beside it.
    """
    took: list[list[float]] = []
    async with client_for(1) as client:
        for _ in range(conversations):
            conversation, own = await channel.open(client), []
            for _ in range(turns):
                started = time.perf_counter()
                await channel.send(client, conversation, text)
                own.append((time.perf_counter() - started) * 1000)
            took.append(own)

    def at(first: int) -> float:
        return round(statistics.median(ms for own in took for ms in own[first : first + 5]), 1)

    return {"1": at(0), "100": at(97), str(turns - 1): at(turns - 5)}
