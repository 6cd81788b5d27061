"""News of a ticket reach its citizen once, on the web and on Telegram, whatever restarts in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from bot.assistant import Assistant
from bot.channels.telegram import sending
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.sending import SENDING_TRIES
from bot.conversation import ConversationService
from bot.courier import Courier
from bot.notices import Notifier
from services.assembly import Services
from services.tickets import Filing, Kind, Resolution, State
from store.models import Message
from store.notices import Notices, NoticeState
from store.ticket_models import Notice
from tests.citizen import Citizen
from tests.telegram.bot_api import BotApi
from tests.telegram.running import channel_of

REASON = "Dokumen harus dikumpulkan dari tiga unit kerja"


def make_notifier(services: Services, assistant: Assistant, telegram: TelegramChannel | None = None) -> Notifier:
    service = ConversationService(assistant, services)
    courier = Courier(services.conversations, {"telegram": telegram.deliver} if telegram else {})
    notices = Notices(services.database, services.encryption)
    return Notifier(assistant, service, services.conversations, notices, services.ticket_files, courier)


@pytest.fixture
def notifier(services: Services, assistant: Assistant) -> Notifier:
    return make_notifier(services, assistant)


def newest_conversation(services: Services) -> str:
    with services.database.session() as session:
        return session.scalars(select(Message.conversation_id).order_by(Message.id.desc())).first() or ""


def file(services: Services, conversation_id: str, locale: str = "id") -> str:
    filing = Filing(Kind.INFORMATION_REQUEST, {"details": "laporan"}, "wni", conversation_id, locale)
    return services.tickets.file(filing).number


def states(services: Services) -> list[str]:
    with services.database.session() as session:
        return list(session.scalars(select(Notice.state).order_by(Notice.id)))


async def test_an_extension_is_told_on_the_web_with_its_date_and_reason(
    client: httpx.AsyncClient, services: Services, notifier: Notifier
) -> None:
    citizen = await Citizen(client).arrives()
    number = file(services, newest_conversation(services))
    services.ticket_changes.extend(number, REASON, "dewi")
    await notifier.deliver()
    told = (await citizen.history())[-1]
    assert number in told["text"]
    assert REASON in told["text"]
    assert "Pasal 22 ayat (8)" in told["text"]
    assert states(services) == [NoticeState.SENT]
    with services.database.session() as session:
        assert not [text for text in session.scalars(select(Message.text)) if REASON in text]


async def test_the_button_of_a_notice_shows_the_ticket(client: httpx.AsyncClient, services: Services, notifier: Notifier) -> None:
    citizen = await Citizen(client).arrives()
    number = file(services, newest_conversation(services))
    services.ticket_changes.answer(number, "Laporan ada di lampiran", Resolution.GRANTED, "dewi")
    await notifier.deliver()
    citizen.last = [(await citizen.history())[-1]]
    assert "Laporan ada di lampiran" in await citizen.presses("Lihat tiket")


async def test_a_notice_is_stored_once_by_however_many_processes(
    client: httpx.AsyncClient, services: Services, assistant: Assistant
) -> None:
    citizen = await Citizen(client).arrives()
    number = file(services, newest_conversation(services), "en")
    services.ticket_changes.move(number, State.REVIEWED, "dewi")
    await asyncio.gather(*(make_notifier(services, assistant).deliver() for _ in range(4)))
    await make_notifier(services, assistant).deliver()
    texts = [message["text"] for message in await citizen.history()]
    assert [text for text in texts if number in text] == [f"News on ticket **{number}**: officers have begun the review."]


async def test_a_notice_does_not_disturb_an_open_form(client: httpx.AsyncClient, services: Services, notifier: Notifier) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(
        "saya ingin menyampaikan aspirasi", "ya", "Tolong perbanyak beasiswa untuk anak nelayan", "pendidikan", "lewati", "Alor"
    )
    number = file(services, newest_conversation(services))
    services.ticket_changes.move(number, State.REVIEWED, "dewi")
    await notifier.deliver()
    assert (await citizen.history())[-1]["buttons"] == []
    assert "Surel atau nomor telepon" in await citizen.says("Wiratmaja Kusumah")
    with services.database.session() as session:
        assert not [text for text in session.scalars(select(Message.text)) if "Wiratmaja" in text]


async def test_a_deleted_conversation_gets_no_notice(client: httpx.AsyncClient, services: Services, notifier: Notifier) -> None:
    citizen = await Citizen(client).arrives()
    number = file(services, newest_conversation(services))
    await client.delete("/api/chat/sessions", headers=citizen.headers)
    services.ticket_changes.move(number, State.REVIEWED, "dewi")
    await notifier.deliver()
    assert states(services) == [NoticeState.REFUSED]


@pytest.fixture
async def telegram(services: Services, assistant: Assistant) -> AsyncIterator[tuple[BotApi, TelegramChannel]]:
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        yield api, channel
        await channel.stop()


def file_on_telegram(services: Services, chat: int) -> str:
    conversation = services.conversations.open("telegram", "id", str(chat))
    return file(services, conversation.id)


async def test_a_notice_is_sent_once_to_the_chat_that_filed_the_ticket(
    services: Services, assistant: Assistant, telegram: tuple[BotApi, TelegramChannel]
) -> None:
    api, channel = telegram
    number = file_on_telegram(services, 7)
    services.ticket_changes.extend(number, REASON, "dewi")
    for _ in range(3):  # three lives of the server
        await make_notifier(services, assistant, channel).deliver()
    (sent,) = api.sent_to(7)
    assert number in sent["text"]
    assert REASON in sent["text"]
    assert states(services) == [NoticeState.SENT]


async def test_a_notice_waits_while_telegram_is_off_or_can_not_be_reached(
    services: Services, assistant: Assistant, telegram: tuple[BotApi, TelegramChannel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LONGEST_PAUSE", 0.01)
    api, channel = telegram
    services.ticket_changes.move(file_on_telegram(services, 7), State.REVIEWED, "dewi")
    await make_notifier(services, assistant).deliver()
    assert states(services) == [NoticeState.STORED]
    api.failures["sendMessage"] = [(502, {})] * SENDING_TRIES
    await make_notifier(services, assistant, channel).deliver()
    assert states(services) == [NoticeState.STORED]
    await make_notifier(services, assistant, channel).deliver()
    assert len(api.sent_to(7)) == 1
    assert states(services) == [NoticeState.SENT]


async def test_a_citizen_who_blocked_the_bot_is_noted_and_others_still_get_theirs(
    services: Services, assistant: Assistant, telegram: tuple[BotApi, TelegramChannel]
) -> None:
    api, channel = telegram
    services.ticket_changes.move(file_on_telegram(services, 7), State.REVIEWED, "dewi")
    services.ticket_changes.move(file_on_telegram(services, 9), State.REVIEWED, "dewi")
    api.failures["sendMessage"] = [(403, {})]
    await make_notifier(services, assistant, channel).deliver()
    assert sorted(states(services)) == [NoticeState.REFUSED, NoticeState.SENT]  # chats are written to at once, in no order
    with services.database.session() as session:
        assert len(list(session.scalars(select(Message).where(Message.author == "bot")))) == 2
