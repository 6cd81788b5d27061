"""Kills a real server in mid-update: 500 updates of 50 chats are each answered once and in order, polling and with a webhook.

The Bot API gives a message no key of its own, so one that Telegram took in the very moment of the kill comes twice. Each such
repeat must be one that the inbox had marked as being on its way; how many there were is printed (`pytest -s`).
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.chaos.server import RealServer
from tests.telegram.bot_api import BotApi
from tests.telegram.running import ADDRESS, TOKEN

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1500)]
CHATS = range(1001, 1051)
SAMPLE_CHAT = 999
ASPIRATION = "Tolong perbanyak beasiswa bagi anak nelayan di daerah terpencil"
SAID = [
    "apa itu simpel?",
    "saya ingin menyampaikan aspirasi",
    "ya",
    ASPIRATION,
    "pendidikan",
    "lewati",
    "lewati",
    "lewati",
    "lewati",
    "ya",
]
KILLS_AT_RANDOM, KILLS_IN_A_CALL = 4, 4
CONNECTIONS = 40
"""So many calls at once Telegram makes to a webhook."""


@dataclass
class Telegram:
    """The stand-in, and how updates are delivered: the bot polls them, or calls to its webhook are repeated until they succeed."""

    api: BotApi
    server: RealServer
    by_webhook: bool
    doubtful: Counter[int] = field(default_factory=Counter)
    """By chat: messages of which a killed process did not know whether Telegram had them."""
    kills: int = 0

    def citizen_says(self, number: int, chat: int, text: str) -> dict[str, Any]:
        user = {"id": chat, "is_bot": False, "first_name": "Warga", "language_code": "id"}
        message = {"message_id": number, "date": 1_795_000_000, "chat": {"id": chat, "type": "private"}, "from": user, "text": text}
        return {"update_id": number, "message": message}

    async def deliver(self, updates: list[dict[str, Any]]) -> None:
        """In order for each chat."""
        if not self.by_webhook:
            for update in updates:
                self.api.push({name: value for name, value in update.items() if name != "update_id"})
            return
        of_chat: dict[int, list[dict[str, Any]]] = {}
        for update in updates:
            of_chat.setdefault(update["message"]["chat"]["id"], []).append(update)
        slots = asyncio.Semaphore(CONNECTIONS)
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            await asyncio.gather(*(self._post_all(client, slots, row) for row in of_chat.values()))

    async def _post_all(self, client: httpx.AsyncClient, slots: asyncio.Semaphore, updates: list[dict[str, Any]]) -> None:
        for update in updates:
            for _ in range(2 if update["update_id"] % 7 == 0 else 1):  # some come again though they were acknowledged
                while True:
                    async with slots:
                        try:
                            headers = {"X-Telegram-Bot-Api-Secret-Token": self.api.secret}
                            response = await client.post(f"{self.server.url}/telegram/masuk", json=update, headers=headers)
                            if response.status_code == 200:
                                break
                        except httpx.TransportError:
                            pass
                    await asyncio.sleep(0.2)

    async def kill_and_start(self) -> None:
        """What stands in the database between the two is noted."""
        self.server.kill()
        self.kills += 1
        self._note_doubtful()
        await asyncio.to_thread(self.server.start)

    def _note_doubtful(self) -> None:
        with sqlite3.connect(self.server.database) as database:
            rows = database.execute("SELECT update_id FROM telegram_updates WHERE content IS NOT NULL AND begun > sent").fetchall()
        self.doubtful.update(chat_of(number) for (number,) in rows)


def number_of(step: int, chat: int) -> int:
    return len(SAID) + 1 + step * len(CHATS) + chat - CHATS.start


def chat_of(number: int) -> int:
    return CHATS.start + (number - len(SAID) - 1) % len(CHATS)


@asynccontextmanager
async def telegram(folder: Path, by_webhook: bool) -> AsyncIterator[Telegram]:
    async with BotApi() as api:
        settings = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api.base_url, "SAPA_PUBLIC_URL": "https://sapa.example"}
        if by_webhook:
            settings["TELEGRAM_WEBHOOK_URL"] = ADDRESS
        with RealServer(folder, **settings) as server:
            await asyncio.to_thread(server.start)
            yield Telegram(api, server, by_webhook)


def alike(text: str) -> str:
    """The text without what is another ticket's own: number, code, links."""
    text = re.sub(r"href=\"[^\"]*\"", "", re.sub(r"ASP-\d{8}-[0-9A-Z]{4}", "ASP", text))
    return re.sub(r"\b(?=[0-9A-Z]*\d)[0-9A-Z]{6}\b", "KODE", text)


def said_to(api: BotApi, chat: int) -> list[str]:
    return [alike(form["text"]) for form in api.sent_to(chat)]


def repeats(sent: list[str], expected: list[str]) -> int | None:
    """How many messages came twice in a row; None where any is missing, wrong or out of place."""
    found, place = 0, 0
    for text in sent:
        if place < len(expected) and text == expected[place]:
            place += 1
        elif place and text == expected[place - 1]:
            found += 1
        else:
            return None
    return found if place == len(expected) else None


async def sample_of(bot: Telegram) -> list[str]:
    """What the ten messages are answered by a server that nobody kills."""
    for number, text in enumerate(SAID, 1):
        before = len(bot.api.sent_to(SAMPLE_CHAT))
        await bot.deliver([bot.citizen_says(number, SAMPLE_CHAT, text)])
        await bot.api.until_sent(SAMPLE_CHAT, before + 1)
        await asyncio.sleep(1.5)  # a second bubble comes a second later
    return said_to(bot.api, SAMPLE_CHAT)


async def kill_now_and_then(bot: Telegram, random: Random, total: int) -> None:
    """Half of the kills come at any time, half in the moment in which Telegram has taken a message and not answered yet."""
    plan = ["any time"] * KILLS_AT_RANDOM + ["in a call"] * KILLS_IN_A_CALL
    random.shuffle(plan)
    due = asyncio.Event()

    async def kill_in_call(_method: str, _form: dict[str, Any]) -> None:
        if not due.is_set():
            due.set()
            bot.server.kill()

    for number, moment in enumerate(plan, 1):
        mark = total * number // (len(plan) + 2)
        while len(bot.api.called("sendMessage")) < mark:
            await asyncio.sleep(0.02)
        if moment == "in a call":
            due.clear()
            bot.api.gate = kill_in_call
            await due.wait()
            bot.api.gate = None
        else:
            await asyncio.sleep(random.random() / 10)
        await bot.kill_and_start()


@pytest.mark.parametrize("by_webhook", [False, True], ids=["polling", "webhook"])
async def test_500_updates_of_50_chats_are_answered_once_and_in_order_whatever_kills_the_server(
    by_webhook: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(20261125)
    async with telegram(tmp_path, by_webhook) as bot:
        expected = await sample_of(bot)
        before = len(bot.api.called("sendMessage"))
        total = len(CHATS) * len(expected)
        updates = [bot.citizen_says(number_of(step, chat), chat, text) for step, text in enumerate(SAID) for chat in CHATS]
        assert len(updates) == 500
        delivering = asyncio.create_task(bot.deliver(updates))
        await kill_now_and_then(bot, random, before + total)
        await delivering
        async with asyncio.timeout(600):
            while any(len(bot.api.sent_to(chat)) < len(expected) for chat in CHATS):
                await asyncio.sleep(0.5)
        await asyncio.sleep(5)  # for what should not come
        bot.server.kill()
        found = {chat: repeats(said_to(bot.api, chat), expected) for chat in CHATS}
        wrong = {chat: said_to(bot.api, chat) for chat, count in found.items() if count is None}
        assert not wrong, wrong
        repeated = Counter({chat: count for chat, count in found.items() if count})
        with sqlite3.connect(bot.server.database) as database:
            (tickets,) = database.execute("SELECT count(*) FROM tickets").fetchone()
            (unfinished,) = database.execute("SELECT count(*) FROM telegram_updates WHERE content IS NOT NULL").fetchone()
        with capsys.disabled():
            sys.stdout.write(
                f"\n{'webhook' if by_webhook else 'polling'}: {bot.kills} kills, {total} messages, {repeated.total()} came twice, "
                f"{bot.doubtful.total()} had been marked as on their way\n"
            )
        assert tickets == len(CHATS) + 1
        assert unfinished == 0
        assert repeated <= bot.doubtful
        logged = bot.server.logs()
        assert TOKEN not in logged
        assert not [words for words in (*SAID[:2], ASPIRATION, *CHATS) if str(words) in logged]
