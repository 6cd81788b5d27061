"""That an officer is writing reaches the citizen: as an event on the web, as a call on channels that have to be told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot import announcements as announcements_module
from bot.announcements import Announcements
from bot.assistant import Assistant
from bot.conversation import ConversationService
from bot.courier import Courier
from bot.server import create_app
from services.assembly import Services
from services.conversation_log import LogFilter
from services.handoff import Handoffs
from tests.citizen import Citizen
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-23 10:00")


@pytest.fixture
def handoffs(services: Services, clock: Clock) -> Handoffs:
    services.handoffs._clock = services.officer_typing._clock = clock
    return services.handoffs


def taken(handoffs: Handoffs, conversation_id: str) -> int:
    handoff_id = handoffs.ask(conversation_id).handoff_id
    handoffs.take(handoff_id, "sari")
    return handoff_id


async def stream_until(app: Any, path: str, headers: dict[str, str], wanted: bytes) -> bytes:
    """What a stream of events has sent when `wanted` has come; then the client goes away."""
    sent, gone = bytearray(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.extend(message.get("body", b""))
        if wanted in sent:
            gone.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1234),
        "server": ("sapa.test", 80),
    }
    await asyncio.wait_for(app(scope, receive, send), 20)
    return bytes(sent)


async def test_the_web_gets_an_event_without_a_number(
    handoffs: Handoffs, services: Services, assistant: Assistant, client: Any
) -> None:
    citizen = await Citizen(client).arrives()
    (conversation,) = services.conversation_log.search(LogFilter(), 0)
    services.officer_typing.note(taken(handoffs, conversation.id), "sari")
    stream = await stream_until(create_app(services, assistant), "/api/chat/events", citizen.headers, b"event: typing")
    event = next(part for part in stream.decode().replace("\r", "").split("\n\n") if "event: typing" in part)
    assert event.splitlines() == ["event: typing", 'data: {"from": "officer"}']


async def test_other_channels_are_told_once_for_each_sign(
    handoffs: Handoffs, clock: Clock, services: Services, assistant: Assistant
) -> None:
    conversation = services.conversations.open("telegram", "id", "7")
    shown: list[str] = []

    async def show(address: str) -> None:
        shown.append(address)

    announcements = Announcements(
        ConversationService(assistant, services), services, Courier(services.conversations, {}), {"telegram": show}
    )
    handoff_id = taken(handoffs, conversation.id)
    services.officer_typing.note(handoff_id, "sari")
    for _ in range(3):
        await announcements.show_typing()
        await asyncio.sleep(0)
    assert shown == ["7"]
    clock.forward(seconds=4)
    services.officer_typing.note(handoff_id, "sari")
    await announcements.show_typing()
    await asyncio.sleep(0)
    assert shown == ["7", "7"]


class Hanging:
    """A channel that takes the sign and never says that it has."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def show(self, _address: str) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.fixture
def hanging() -> Hanging:
    return Hanging()


@pytest.fixture
def announcements(hanging: Hanging, handoffs: Handoffs, services: Services, assistant: Assistant) -> Announcements:
    """Of a server with a chat on Telegram that an officer is writing to."""
    conversation = services.conversations.open("telegram", "id", "7")
    services.officer_typing.note(taken(handoffs, conversation.id), "sari")
    courier = Courier(services.conversations, {})
    return Announcements(ConversationService(assistant, services), services, courier, {"telegram": hanging.show})


async def test_a_channel_that_hangs_over_the_sign_keeps_no_words_waiting_and_no_server_from_ending(
    announcements: Announcements, hanging: Hanging, handoffs: Handoffs, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements_module, "SIGN_SECONDS", 3600)
    telling = asyncio.create_task(announcements.keep_telling())
    async with asyncio.timeout(20):
        await hanging.begun.wait()
        elsewhere = services.conversations.open("web", "id").id
        taken(handoffs, elsewhere)
        while any(event.conversation_id == elsewhere for event in services.untold.all()):
            await asyncio.sleep(0.05)
        telling.cancel()
        await announcements.finish()
        await hanging.ended.wait()


async def test_a_sign_that_nobody_takes_in_time_is_given_up(
    announcements: Announcements, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements_module, "SIGN_SECONDS", 0.01)
    async with asyncio.timeout(20):
        await announcements.show_typing()
        await hanging.ended.wait()
