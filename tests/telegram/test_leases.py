"""Several processes on one inbox: each update is one process's, and is taken over when that one is dead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.assistant import Assistant
from bot.channels.telegram import channel as channel_module
from bot.conversation import ConversationService
from services.assembly import Services
from store.database import Database
from store.encryption import Encryption
from store.telegram_inbox import LEASE, Taken, TelegramInbox
from tests.clock import Clock
from tests.postgresql import own_database
from tests.telegram.bot_api import BotApi
from tests.telegram.running import channel_of, finished, update

CHAT = 7


class Inboxes:
    """One database and one clock; each call makes the inbox of another process."""

    def __init__(self, url: str) -> None:
        self.clock = Clock("2026-11-23 10:00")
        self._database = Database(url)
        self._encryption = Encryption([Fernet.generate_key().decode()])
        self._database.migrate(self._encryption)

    def __call__(self) -> TelegramInbox:
        return TelegramInbox(self._database, self._encryption, self.clock)

    def close(self) -> None:
        self._database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.scale)])
def inboxes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Inboxes]:
    if request.param == "sqlite":
        made = Inboxes(f"sqlite:///{tmp_path}/sapa.db")
        yield made
        made.close()
        return
    with own_database() as url:
        made = Inboxes(url)
        yield made
        made.close()


def numbers(inbox: TelegramInbox) -> list[int]:
    return [left.update_id for left in inbox.take_up()]


def test_nobody_takes_what_a_living_process_works_on(inboxes: Inboxes) -> None:
    living, other = inboxes(), inboxes()
    living.accept(1, CHAT, {"update_id": 1})
    for _ in range(3):
        inboxes.clock.forward(seconds=LEASE.total_seconds() / 2)
        living.renew()
        assert numbers(other) == []


def test_what_a_dead_process_left_is_taken_over_in_order(inboxes: Inboxes) -> None:
    dead, other = inboxes(), inboxes()
    for number in (3, 1, 2):
        dead.accept(number, CHAT, {"update_id": number})
    dead.finish(2)
    inboxes.clock.forward(seconds=LEASE.total_seconds())
    assert numbers(other) == [1, 3]
    assert numbers(other) == []


def test_what_a_process_left_that_was_stopped_is_free_at_once(inboxes: Inboxes) -> None:
    stopped, other = inboxes(), inboxes()
    stopped.accept(1, CHAT, {"update_id": 1})
    stopped.release()
    assert numbers(other) == [1]


def test_a_lease_that_was_taken_before_the_clock_was_set_back_is_over(inboxes: Inboxes) -> None:
    dead, other = inboxes(), inboxes()
    dead.accept(1, CHAT, {"update_id": 1})
    inboxes.clock.forward(hours=-1)
    assert numbers(other) == [1]


def test_of_many_processes_one_gets_each_update(inboxes: Inboxes) -> None:
    dead = inboxes()
    for number in range(1, 41):
        dead.accept(number, CHAT, {"update_id": number})
    dead.release()
    with ThreadPoolExecutor(8) as threads:
        taken = [one for many in threads.map(numbers, [inboxes() for _ in range(8)]) for one in many]
    assert sorted(taken) == list(range(1, 41))


def test_a_process_that_slept_through_its_lease_sends_and_settles_nothing_more(inboxes: Inboxes) -> None:
    asleep, other = inboxes(), inboxes()
    asleep.accept(1, CHAT, {"update_id": 1})
    inboxes.clock.forward(seconds=LEASE.total_seconds())
    assert numbers(other) == [1]
    for change in (lambda: asleep.begin(1, 1), lambda: asleep.note_sent(1, 1), lambda: asleep.finish(1)):
        with pytest.raises(Taken):
            change()
    asleep.renew()
    other.begin(1, 1)


def test_an_update_waits_for_the_earlier_ones_of_its_chat_in_other_processes_only(inboxes: Inboxes) -> None:
    one, other = inboxes(), inboxes()
    one.accept(1, CHAT, {"update_id": 1})
    one.accept(2, CHAT + 1, {"update_id": 2})
    other.accept(3, CHAT, {"update_id": 3})
    assert other.earlier_elsewhere(3, CHAT)
    assert not one.earlier_elsewhere(1, CHAT)
    assert not other.earlier_elsewhere(3, CHAT + 2)
    one.finish(1)
    assert not other.earlier_elsewhere(3, CHAT)


async def test_a_start_leaves_alone_what_a_living_process_works_on_and_takes_over_in_order_when_it_dies(
    services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch, unhurried: None
) -> None:
    monkeypatch.setattr(channel_module, "LOOK_SECONDS", 0.1)
    elsewhere = TelegramInbox(services.database, services.encryption)
    for number in (1, 2):
        elsewhere.accept(number, CHAT, update(number, CHAT, f"apa itu simpel nomor {number}?"))
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        await channel.accept(update(3, CHAT, "apa itu simpel nomor 3?"))
        await channel.accept(update(4, CHAT + 1, "apa itu simpel?"))
        await api.until_sent(CHAT + 1, 1)
        assert api.sent_to(CHAT) == []
        await asyncio.to_thread(elsewhere.release)
        await finished(services, 4)
        await channel.stop()
    conversation = services.conversations.open("telegram", "id", str(CHAT))
    messages = services.conversations.after(conversation.id, 0)
    asked = [message.text for message in messages if message.author == "user"]
    assert asked == [f"apa itu simpel nomor {number}?" for number in (1, 2, 3)]
    assert len(api.sent_to(CHAT)) == sum(message.author == "bot" for message in messages)
