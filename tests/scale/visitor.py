"""A visitor whose client does what the widget does: one message at a time, each sent again under its id until it is answered."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

TIMEOUT = 20
"""Seconds; the widget's own is 30. Shorter here, so that a request to a killed process is repeated within the test."""
SENTENCES = (
    "apa itu simpel?",
    "syarat magang di setneg apa saja",
    "jam buka istura",
    "cara menyampaikan aspirasi",
    "halo",
    "terima kasih",
)
ASPIRATION = ("saya ingin menyampaikan aspirasi", "ya", "pendidikan", "lewati", "lewati", "lewati", "lewati", "ya")
WISHES = """beasiswa jalan sekolah nelayan petani jembatan listrik pasar perpustakaan puskesmas pelabuhan irigasi taman angkutan
    guru bidan koperasi internet hutan sungai museum stadion bandara pesisir""".split()
REPEATED_AT_ONCE = 0.15


def wish(chance: random.Random, number: int) -> str:
    """The text of an aspiration. Its `number` of four digits keeps it from being taken for the same as an earlier one."""
    return f"Tolong perbanyak {' dan '.join(chance.sample(WISHES, 7))} di kelurahan nomor {number}"


@dataclass
class Visitor:
    url: str
    number: int
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Id and text of each message that was answered, in order."""
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Id to the messages of the answer."""
    tickets: list[str] = field(default_factory=list)
    repeats: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    """What a first try met with, instead of an answer."""
    seconds: list[float] = field(default_factory=list)
    """From the first try of a message to its answer."""
    token: str = ""

    async def talk(self, client: httpx.AsyncClient, until: asyncio.Event) -> None:
        """Every third visitor files one aspiration after the other, the others ask."""
        self.token = (await self._call(client, "/api/chat/sessions", {"locale": "id"}))["token"]
        chance = random.Random(self.number)
        while not until.is_set():
            if self.number % 3 == 0:
                await self._file(client, chance)
            else:
                await self._say(client, chance.choice(SENTENCES), chance)

    async def _file(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        beginning, agrees, *rest = ASPIRATION
        text = wish(chance, 1000 + len(self.tickets))
        answer = ""
        for message in (beginning, agrees, text, *rest):
            answer = await self._say(client, message, chance)
        found = re.findall(r"ASP-\d{8}-[0-9A-Z]{4}", answer)
        assert found, f"no ticket:\n{self.transcript(len(ASPIRATION) + 2)}"
        self.tickets.append(found[0])

    async def _say(self, client: httpx.AsyncClient, text: str, chance: random.Random) -> str:
        cid = str(uuid.uuid4())
        started = time.monotonic()
        body = {"client_message_id": cid, "text": text}
        if chance.random() < REPEATED_AT_ONCE:  # a second tab, or a proxy that tries again too early
            both = (self._call(client, "/api/chat/messages", body), self._call(client, "/api/chat/messages", body))
            one, other = await asyncio.gather(*both)
            assert one == other
        else:
            one = await self._call(client, "/api/chat/messages", body)
        self.seconds.append(time.monotonic() - started)
        self.sent.append((cid, text))
        self.answers[cid] = one["messages"]
        assert one["messages"], text
        return "\n".join(message["text"] for message in one["messages"])

    async def _call(self, client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
        pause = 0.2
        while True:
            try:
                response = await client.post(self.url + path, json=body, headers=self.headers, timeout=TIMEOUT)
                met = str(response.status_code)
            except httpx.TransportError as error:
                met = type(error).__name__
            else:
                if response.is_success:
                    answer: dict[str, Any] = response.json()
                    return answer
                assert re.fullmatch(r"409|429|5..", met), f"{met}: {response.text}"
            self.repeats += 1
            self.refusals[met] = self.refusals.get(met, 0) + 1
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def transcript(self, last: int) -> str:
        """What was said in the last turns, for the message of a failure."""
        turns = [(text, "\n    ".join(message["text"] for message in self.answers[cid])) for cid, text in self.sent[-last:]]
        return "\n".join(f"> {text}\n    {answer}" for text, answer in turns)

    async def history(self, client: httpx.AsyncClient) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while True:
            after = messages[-1]["seq"] if messages else 0
            response = await client.get(f"{self.url}/api/chat/messages?after={after}", headers=self.headers, timeout=TIMEOUT)
            response.raise_for_status()
            more = response.json()["messages"]
            if not more:
                return messages
            messages += more
