"""Kills a real server at random moments while citizens talk on the web and on Telegram, then counts what became of each message.

`make chaos` kills 50 times, half of them on SQLite and half on PostgreSQL; `CHAOS_KILLS=200 make chaos` does it 200 times.
A few kills are part of `make test-scale`. The Bot API has no key for a message, so one that Telegram took in the moment of the
kill may come twice: allowed are only those that the inbox had marked as on their way, and the table says how many there were.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from bench.processes import NotReady
from bot.channels.telegram.sending import pieces_of
from bot.messages import Button, Outbound
from services.wakeups import Wakeups
from store.conversations import Conversations
from store.database import Database
from store.encryption import Encryption, KeyFile
from store.models import Conversation, Message, TelegramUpdate
from store.ticket_models import Ticket
from tests.chaos.server import RealServer
from tests.chaos.test_telegram_kill import repeats
from tests.postgresql import database_of
from tests.scale.test_many_processes import check_history
from tests.scale.visitor import ASPIRATION, SENTENCES, Visitor, wish
from tests.telegram.bot_api import BotApi
from tests.telegram.running import TOKEN

KILLS = int(os.environ.get("CHAOS_KILLS", "50"))
VISITORS, CHATTERS = 4, 4
LONGEST_LIFE = 3.0
"""Seconds from the moment in which the server is ready to the kill."""
LONGEST_START = 4.0
MOMENTS = ("any time", "any time", "any time", "in a call to Telegram", "while it starts")
ANSWERED_SECONDS = 300
"""However busy the machine is: who gives up and goes on typing is told, after twenty messages, to wait."""
TICKET = re.compile(r"ASP-\d{8}-[0-9A-Z]{4}")


@dataclass
class Chatter:
    """A citizen on Telegram, who waits for an answer before the next message, and now and then sends two at once."""

    api: BotApi
    chat: int
    numbers: count[int]
    sent: list[int] = field(default_factory=list)
    """Numbers of the updates, in order."""

    async def talk(self, until: asyncio.Event) -> None:
        chance = random.Random(self.chat)
        while not until.is_set():
            if self.chat % 2:
                beginning, agrees, *rest = ASPIRATION
                for text in (beginning, agrees, wish(chance, 1000 + len(self.sent)), *rest):
                    await self._say(text)
            else:
                await self._say(*(chance.choice(SENTENCES) for _ in range(chance.choice((1, 1, 2)))))

    async def _say(self, *texts: str) -> None:
        before = len(self.api.sent_to(self.chat))
        for text in texts:
            self.api.send(self.chat, text)
            self.sent.append(next(self.numbers))
        with suppress(TimeoutError):  # what was lost is counted in the end
            await self.api.until_sent(self.chat, before + len(texts), ANSWERED_SECONDS)
        await asyncio.sleep(1.2)  # a second bubble comes a second later


@dataclass
class Found:
    """What became of everything, for the table. All but the first five are to be zero."""

    kills: int = 0
    web_messages: int = 0
    telegram_messages: int = 0
    tickets: int = 0
    came_twice_as_marked: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass
class System:
    engine: str
    server: RealServer
    api: BotApi
    database: Database
    conversations: Conversations
    doubtful: Counter[int] = field(default_factory=Counter)
    """By update: messages of which a killed process did not know whether Telegram had them."""


@asynccontextmanager
async def system(engine: str, folder: Path) -> AsyncIterator[System]:
    with database_of(engine) as url:
        async with BotApi() as api:
            settings = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api.base_url, "DATABASE_URL": url, "SAPA_LIMITS": "off"}
            with RealServer(folder, **settings) as server:
                await asyncio.to_thread(server.start)
                database = Database(url or f"sqlite:///{server.database}")
                encryption = Encryption(KeyFile(server.data).read())
                yield System(engine, server, api, database, Conversations(database, encryption, Wakeups().publish))
                database.close()


async def kill_again_and_again(running: System, kills: int, chance: random.Random) -> None:
    """Each life is short, and ends at a moment of its own."""
    moment = "any time"
    for kill in range(kills):
        if moment == "while it starts":
            starting = asyncio.create_task(asyncio.to_thread(running.server.start))
            await asyncio.sleep(chance.random() * LONGEST_START)
            running.server.kill()
            with suppress(NotReady):
                await starting
        elif moment == "in a call to Telegram":
            await until_in_a_call(running)
            running.server.kill()
        else:
            await asyncio.sleep(chance.random() * LONGEST_LIFE)
            running.server.kill()
        note_doubtful(running)
        moment = chance.choice(MOMENTS)
        if moment != "while it starts" or kill == kills - 1:
            await asyncio.to_thread(running.server.start)


async def until_in_a_call(running: System) -> None:
    called = asyncio.Event()

    async def kill(_method: str, _form: dict[str, object]) -> None:
        if not called.is_set():
            called.set()
            running.server.kill()

    running.api.gate = kill
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            await called.wait()
    running.api.gate = None


def note_doubtful(running: System) -> None:
    in_doubt = select(TelegramUpdate.update_id).where(TelegramUpdate.content.is_not(None), TelegramUpdate.begun > TelegramUpdate.sent)
    with running.database.session() as session:
        running.doubtful.update(session.scalars(in_doubt))
    running.database.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.chaos
@pytest.mark.timeout(120 + 60 * KILLS)
async def test_no_message_and_no_ticket_is_lost_doubled_or_out_of_order_whenever_the_server_is_killed(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = (KILLS + 1) // 2
    seed = int(os.environ.get("CHAOS_SEED", time.time_ns() % 1_000_000))
    async with system(engine, tmp_path) as running, httpx.AsyncClient(trust_env=False) as client:
        visitors = [Visitor(running.server.url, number) for number in range(VISITORS)]
        numbers = count(1)
        chatters = [Chatter(running.api, chat, numbers) for chat in range(1001, 1001 + CHATTERS)]
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as talking:
            for visitor in visitors:
                talking.create_task(visitor.talk(client, ended))
            for chatter in chatters:
                talking.create_task(chatter.talk(ended))
            await kill_again_and_again(running, kills, random.Random(seed))
            await asyncio.sleep(2)
            ended.set()
        await until_dealt_with(running)
        await asyncio.sleep(3)  # for what should not come
        found = Found(kills)
        for visitor in visitors:
            try:
                check_history(visitor, await visitor.history(client))
            except AssertionError as fault:
                found.faults.append(f"web visitor {visitor.number}: {str(fault)[:300]}")
        running.server.kill()
        count_web(running, visitors, found)
        count_telegram(running, chatters, found)
        count_tickets(running, visitors, chatters, found)
        unexpected = [line for line in running.server.logs().splitlines() if re.search(r"Traceback|request failed|turn failed", line)]
        found.faults += unexpected[:5]
    with capsys.disabled():
        sys.stdout.write(table(engine, found, seed))
    assert (found.lost, found.doubled, found.out_of_order, found.faults) == (0, 0, 0, [])
    assert found.web_messages > kills
    assert found.telegram_messages > kills


async def until_dealt_with(running: System) -> None:
    left = select(func.count()).select_from(TelegramUpdate).where(TelegramUpdate.content.is_not(None))
    async with asyncio.timeout(ANSWERED_SECONDS):
        while True:
            with running.database.session() as session:
                if not session.scalar(left):
                    return
            await asyncio.sleep(0.2)


def count_web(running: System, visitors: list[Visitor], found: Found) -> None:
    acknowledged = [cid for visitor in visitors for cid, _ in visitor.sent]
    with running.database.session() as session:
        web = select(Message).join(Conversation).where(Conversation.channel == "web")
        stored = Counter(session.scalars(web.where(Message.author == "user").with_only_columns(Message.external_id)))
        # All replies to a message are of one turn, which gave them one time.
        times = select(Message.reply_to).where(Message.reply_to.is_not(None)).group_by(Message.reply_to)
        found.doubled += len(session.scalars(times.having(func.count(Message.at.distinct()) > 1)).all())
    found.web_messages = len(acknowledged)
    found.lost += sum(1 for cid in acknowledged if not stored[cid])
    found.doubled += sum(stored.values()) - len(stored) + len(stored.keys() - set(acknowledged))


def count_telegram(running: System, chatters: list[Chatter], found: Found) -> None:
    """What Telegram took is what is stored, once and in order; what is stored is what was said, once and in order."""
    for chatter in chatters:
        conversation = running.conversations.open("telegram", "id", str(chatter.chat))
        messages = running.conversations.after(conversation.id, 0, limit=100_000)
        own = [int((message.external_id or ":0").split(":")[1]) for message in messages if message.author == "user"]
        found.telegram_messages += len(chatter.sent)
        found.lost += len(set(chatter.sent) - set(own))
        found.doubled += len(own) - len(set(own))
        found.out_of_order += own != sorted(own)
        expected = [piece.html for message in messages if message.author == "bot" for piece in pieces_of(seen(running, message))]
        taken = [form["text"] for form in running.api.sent_to(chatter.chat)]
        came_twice = repeats(taken, expected)
        if came_twice is None:
            missing, more = Counter(expected) - Counter(taken), Counter(taken) - Counter(expected)
            found.lost += missing.total()
            found.out_of_order += not missing
            found.faults.append(f"chat {chatter.chat}: {missing.total()} answers not taken, {more.total()} taken too often")
        marked = sum(running.doubtful[number] for number in chatter.sent)
        found.came_twice_as_marked += min(came_twice or 0, marked)
        found.doubled += max(0, (came_twice or 0) - marked)


def seen(running: System, message: Message) -> Outbound:
    buttons = [Button(button["id"], button["label"]) for button in message.buttons]
    return Outbound(message.seq, message.author, running.conversations.seen_text(message), message.at, buttons, message.sources)


def count_tickets(running: System, visitors: list[Visitor], chatters: list[Chatter], found: Found) -> None:
    said = [form["text"] for chatter in chatters for form in running.api.sent_to(chatter.chat)]
    told = {number for visitor in visitors for number in visitor.tickets} | set(TICKET.findall("\n".join(said)))
    with running.database.session() as session:
        filed = set(session.scalars(select(Ticket.number)))
    found.tickets = len(filed)
    found.lost += len(told - filed)
    found.doubled += len(filed - told)


def table(engine: str, found: Found, seed: int) -> str:
    names = [name for name in vars(found) if name != "faults"]
    rows = [("engine", *(name.replace("_", " ") for name in names)), (engine, *(str(getattr(found, name)) for name in names))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(names) + 1)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n" + "\n".join([*lines, f"seed {seed}", *found.faults]) + "\n"
