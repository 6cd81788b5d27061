"""What citizens did not ask for, such as an officer's words, reaches them once and in order as soon as Telegram takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError

from bot import announcements as announcements_module
from bot.announcements import Announcements
from bot.assistant import Assistant
from bot.channels.telegram import sending
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.sending import SENDING_TRIES
from bot.conversation import ConversationService
from bot.courier import Courier
from bot.messages import Delivery, Outbound
from services.assembly import Services
from services.handoff import Handoffs
from services.untold import UntoldEvents
from store.database import utc_now
from tests.clock import Clock
from tests.telegram.bot_api import BotApi
from tests.telegram.running import channel_of
from tests.telling import tell_all

DOWN: tuple[int, dict[str, Any]] = (502, {"description": "Bad Gateway"})
OFFICER = "rina"


@dataclass
class Desk:
    """An officer, the citizens' chats, and what tells these of that one."""

    api: BotApi
    services: Services
    channel: TelegramChannel
    handoffs: Handoffs
    service: ConversationService

    def announcements(self) -> Announcements:
        """As a process that has just started has it."""
        courier = Courier(self.services.conversations, {"telegram": self.channel.deliver})
        return Announcements(self.service, self.services, courier)

    def take(self, chat: int) -> int:
        conversation = self.services.conversations.open("telegram", "id", str(chat))
        handoff_id = self.handoffs.ask(conversation.id).handoff_id
        self.handoffs.take(handoff_id, OFFICER)
        return handoff_id

    def texts(self, chat: int) -> list[str]:
        return [message["text"] for message in self.api.sent_to(chat)]


@pytest.fixture
async def desk(services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch, unhurried: None) -> AsyncIterator[Desk]:
    monkeypatch.setattr(sending, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(announcements_module, "AGAIN_SECONDS", 0.0)
    clock = Clock("2026-11-23 10:00")
    handoffs = Handoffs(services.database, services.conversations, services.drafts, services.hours, clock)
    service = ConversationService(assistant, services)
    async with BotApi() as api:
        channel = channel_of(service, services, api)
        async with channel._application:
            yield Desk(api, services, channel, handoffs, service)


async def test_an_officers_words_outlive_an_outage_and_a_restart_once_and_in_order(desk: Desk) -> None:
    handoff_id = desk.take(7)
    desk.handoffs.say(handoff_id, OFFICER, "Selamat pagi")
    desk.handoffs.say(handoff_id, OFFICER, "Ada yang dapat saya bantu?")
    desk.api.failures["sendMessage"] = [DOWN] * (SENDING_TRIES * 3)
    for _ in range(3):  # three lives of the server
        await tell_all(desk.announcements())
        assert desk.texts(7) == []
    for _ in range(2):
        await tell_all(desk.announcements())
    joined, *said = desk.texts(7)
    assert joined.startswith("Petugas sudah bergabung")
    assert said == ["Selamat pagi", "Ada yang dapat saya bantu?"]
    conversation = desk.services.conversations.open("telegram", "id", "7")
    assert len(desk.services.conversations.after(conversation.id, 0)) == 3
    assert desk.services.untold.all() == []


async def test_a_chat_that_refuses_is_not_tried_for_ever(desk: Desk) -> None:
    desk.take(7)
    desk.api.failures["sendMessage"] = [(403, {})]
    await tell_all(desk.announcements())
    assert desk.services.untold.all() == []
    assert desk.texts(7) == []


@pytest.fixture
def gone_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> OperationalError:
    """The first announcement finds the database away."""
    announce, gone = desk.service.announce, OperationalError("SELECT 1", {}, Exception("the database is away"))

    async def find_it_away(*_args: Any, **_options: Any) -> list[Outbound]:
        monkeypatch.setattr(desk.service, "announce", announce)
        raise gone

    monkeypatch.setattr(desk.service, "announce", find_it_away)
    return gone


@pytest.mark.usefixtures("gone_once")
async def test_words_that_meet_an_error_are_told_soon_after(desk: Desk) -> None:
    desk.take(7)
    announcements = desk.announcements()
    await tell_all(announcements)
    assert desk.texts(7) == []
    await tell_all(announcements)
    assert len(desk.texts(7)) == 1


async def test_words_that_meet_an_error_wait_for_the_end_of_the_claim_where_it_can_not_be_given_up_either(
    desk: Desk, gone_once: OperationalError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_it_away(*_args: Any) -> None:
        raise gone_once

    monkeypatch.setattr(UntoldEvents, "release", find_it_away)
    desk.take(7)
    announcements = desk.announcements()
    for _ in range(2):
        await tell_all(announcements)
    assert desk.texts(7) == []
    assert len(desk.services.untold.all()) == 1


async def test_a_chat_whose_channel_is_slow_keeps_no_other_waiting(desk: Desk) -> None:
    seen, held = asyncio.Event(), asyncio.Event()

    async def hold(_method: str, form: dict[str, Any]) -> JSONResponse | None:
        if form["chat_id"] == "7":
            seen.set()
            await held.wait()
        return None

    desk.api.gate = hold
    announcements = desk.announcements()
    desk.take(7)
    telling = asyncio.create_task(tell_all(announcements))
    await asyncio.wait_for(seen.wait(), 20)
    desk.take(8)
    also_telling = asyncio.create_task(tell_all(announcements))
    await desk.api.until_sent(8, 1)
    assert desk.texts(7) == []
    held.set()
    await asyncio.gather(telling, also_telling)
    assert len(desk.texts(7)) == 1


async def test_a_server_that_stops_leaves_what_is_not_sent_to_the_next_start_at_once(desk: Desk) -> None:
    desk.take(7)
    tried = asyncio.Event()

    async def down(_method: str, _form: dict[str, Any]) -> JSONResponse:
        tried.set()
        return JSONResponse({"ok": False, "error_code": 502, "description": "Bad Gateway"}, 502)

    desk.api.gate = down
    ending = desk.announcements()
    telling = asyncio.create_task(tell_all(ending))
    await asyncio.wait_for(tried.wait(), 20)
    desk.channel._sender.stop()
    await ending.finish()
    await telling
    (event,) = desk.services.untold.all()
    assert desk.services.untold.claim(event.event_id)


async def test_telegram_is_not_asked_again_in_a_long_pause_that_it_wants(desk: Desk) -> None:
    calls = []

    async def refuse(method: str, _form: dict[str, Any]) -> JSONResponse | None:
        calls.append(method)
        body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 3600}}
        return JSONResponse(body, 429)

    desk.api.gate = refuse
    message = Outbound(1, "officer", "Selamat pagi", utc_now())
    assert [await desk.channel.deliver("7", message) for _ in range(3)] == [Delivery.FAILED] * 3
    assert len(calls) == 1
