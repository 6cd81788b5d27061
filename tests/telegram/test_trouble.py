"""Telegram is away, slow, or says no; the server stops; the log stays silent about what was said."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest
import structlog
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError

from bot.assistant import Assistant
from bot.channels.telegram import channel as channel_module
from bot.channels.telegram import queue, sending
from bot.channels.telegram.queue import MOST_OF_A_CHAT
from bot.conversation import ConversationService
from bot.logs import QUOTING, own_events_only, silence_quoting_libraries
from bot.server import create_app
from services.assembly import Services
from services.settings import Settings
from store.conversations import Conversations
from store.telegram_inbox import TelegramInbox
from tests.telegram.bot_api import BotApi
from tests.telegram.running import ADDRESS, TOKEN, HeldCall, Webhook, channel_of, finished, stored, update

DOWN = (502, {"description": "Bad Gateway"})


async def test_an_answer_waits_for_telegram_as_long_as_it_is_down(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, unhurried: None
) -> None:
    monkeypatch.setattr(sending, "LONGEST_PAUSE", 0.01)
    webhook.api.failures["sendMessage"] = [DOWN] * (sending.SENDING_TRIES * 3)
    await webhook.post(update(1, 7, "apa itu simpel?"))
    assert len(await webhook.api.until_sent(7, 1)) == 1


async def test_what_is_not_delivered_when_the_server_stops_is_delivered_once_after_the_next_start(
    services: Services, assistant: Assistant
) -> None:
    service = ConversationService(assistant, services)
    async with BotApi() as api:
        channel = channel_of(service, services, api)
        await channel.start()
        api.failures["sendMessage"] = [DOWN] * 50
        api.send(7, "/start simpel")
        async with asyncio.timeout(20):
            while len(api.failures["sendMessage"]) == 50:
                await asyncio.sleep(0.02)
        await channel.stop()
        assert [bool(row.content) for row in stored(services)] == [True]
        api.failures.clear()
        again = channel_of(service, services, api)
        await again.start()
        await finished(services, 1)
        await again.stop()
        assert len(api.sent_to(7)) == 3


async def test_a_pause_that_telegram_asks_for_stops_that_chat_only(webhook: Webhook, services: Services) -> None:
    async def refuse(_method: str, form: dict[str, Any]) -> JSONResponse | None:
        body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 3600}}
        return JSONResponse(body, 429) if form["chat_id"] == "7" else None

    webhook.api.gate = refuse
    await webhook.post(update(1, 7, "apa itu simpel?"))
    await webhook.post(update(2, 8, "apa itu simpel?"))
    await webhook.api.until_sent(8, 1)
    waiting, *_ = stored(services)
    assert waiting.content


async def test_a_text_whose_tags_telegram_does_not_read_is_sent_without_them(webhook: Webhook) -> None:
    webhook.api.failures["sendMessage"] = [(400, {"description": "Bad Request: can't parse entities"})]
    await webhook.post(update(1, 7, "apa itu simpel?"))
    (answer,) = await webhook.api.until_sent(7, 1)
    assert "parse_mode" not in answer
    assert "<" not in answer["text"]


async def test_a_call_that_telegram_leaves_unanswered_is_made_again(
    services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "CALL_SECONDS", 1.0)
    calls = []

    async def hang_once(method: str, _form: dict[str, Any]) -> JSONResponse | None:
        calls.append(method)
        if len(calls) > 1:
            return None
        await asyncio.sleep(3)
        return JSONResponse({"ok": False, "error_code": 502, "description": "nobody is there any more"}, 502)

    async with BotApi() as api:
        api.gate = hang_once
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        api.send(7, "apa itu simpel?")
        assert len(await api.until_sent(7, 1)) == 1
        await channel.stop()
    assert len(calls) == 2


@pytest.mark.parametrize("status", [401, 502])
async def test_the_web_is_served_though_telegram_is_away(
    status: int, services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "STARTING_SECONDS", 0.1)
    async with BotApi() as api:
        api.failures["getMe"] = [(status, {"description": "Unauthorized"})] * 3
        values: dict[str, Any] = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api.base_url, "TELEGRAM_WEBHOOK_URL": ADDRESS}
        data = services.settings.data_dir
        object.__setattr__(services, "settings", Settings(_env_file=None, SAPA_DATA_DIR=data, **values))
        app = create_app(services, assistant)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sapa.test") as client,
        ):
            assert (await client.post("/api/chat/sessions")).status_code == 201
        await api.is_left()


async def test_the_bot_begins_as_soon_as_telegram_is_there(
    services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "STARTING_SECONDS", 0.1)
    async with BotApi() as api:
        api.failures["getMe"] = [DOWN]
        api.send(7, "apa itu simpel?")
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        await api.until_sent(7, 1)
        await channel.stop()


async def test_updates_that_come_out_of_order_are_answered_in_order(webhook: Webhook, services: Services) -> None:
    held = HeldCall(webhook.api)
    await webhook.post(update(1, 7, "halo"))
    await held.begun()
    for number, text in ((4, "apa itu magang?"), (2, "saya ingin menyampaikan aspirasi"), (3, "batal")):
        await webhook.post(update(number, 7, text))
    held.release()
    await finished(services, 4)
    conversation = services.conversations.open("telegram", "id", "7")
    said = [message.text for message in services.conversations.after(conversation.id, 0) if message.author == "user"]
    assert said == ["halo", "saya ingin menyampaikan aspirasi", "batal", "apa itu magang?"]


async def test_a_burst_gets_one_sentence_for_all_that_was_too_much_and_keeps_nobody_else_waiting(
    webhook: Webhook, services: Services, unhurried: None
) -> None:
    others_are_answered = asyncio.Event()

    async def hold(_method: str, form: dict[str, Any]) -> None:
        if form["chat_id"] == "7":
            await others_are_answered.wait()

    webhook.api.gate = hold
    burst = MOST_OF_A_CHAT + 5
    await asyncio.gather(*(webhook.post(update(number, 7, "apa itu simpel?")) for number in range(1, burst + 1)))
    await webhook.post(update(burst + 1, 8, "apa itu simpel?"))
    await webhook.api.until_sent(8, 1)
    others_are_answered.set()
    await finished(services, burst + 1)
    sent = [form["text"] for form in webhook.api.sent_to(7)]
    assert sum("lebih cepat" in text for text in sent) == 1
    assert MOST_OF_A_CHAT <= len(sent) <= burst


def away(work: Any, times: int, error: Exception) -> Any:
    """`work`, to which the database is away so many times."""
    left = iter(range(times))

    def run(*args: Any, **kwargs: Any) -> Any:
        if next(left, None) is not None:
            raise error
        return work(*args, **kwargs)

    return run


GONE = OperationalError("SELECT 1", {}, Exception("the database is away"))


async def test_an_update_that_can_not_be_stored_is_refused_however_often_it_comes_and_answered_once_when_it_can(
    webhook: Webhook, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = MOST_OF_A_CHAT + 5
    monkeypatch.setattr(TelegramInbox, "accept", away(TelegramInbox.accept, often, GONE))
    async with asyncio.timeout(20):
        statuses = await asyncio.gather(*(webhook.post(update(1, 7, "apa itu simpel?")) for _ in range(often)))
    assert statuses == [503] * often
    assert stored(services) == []
    assert await webhook.post(update(1, 7, "apa itu simpel?")) == 200
    assert "Perjalanan Dinas Luar Negeri" in (await webhook.api.until_sent(7, 1))[0]["text"]
    await finished(services, 1)
    assert len(webhook.api.sent_to(7)) == 1


async def test_by_polling_an_update_that_can_not_be_stored_stays_with_telegram_until_it_can(
    bot_api: BotApi, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "STORING_PAUSE", 0.01)
    monkeypatch.setattr(TelegramInbox, "accept", away(TelegramInbox.accept, MOST_OF_A_CHAT + 5, GONE))
    bot_api.send(7, "apa itu simpel?")
    bot_api.send(7, "apa itu magang?")
    await finished(services, 2)
    conversation = services.conversations.open("telegram", "id", "7")
    said = [message.text for message in services.conversations.after(conversation.id, 0) if message.author == "user"]
    assert said == ["apa itu simpel?", "apa itu magang?"]


async def test_where_no_more_updates_fit_the_webhook_refuses_at_once_and_takes_them_when_there_is_room(
    webhook: Webhook, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_WAITING", 1)
    held = HeldCall(webhook.api)
    await webhook.post(update(1, 7, "apa itu simpel?"))
    await held.begun()
    async with asyncio.timeout(20):
        assert await webhook.post(update(2, 8, "apa itu simpel?")) == 503
        assert [row.update_id for row in stored(services)] == [1]
        held.release()
        while await webhook.post(update(2, 8, "apa itu simpel?")) == 503:
            await asyncio.sleep(0.02)
    assert len(await webhook.api.until_sent(8, 1)) == 1


async def test_an_update_waits_for_its_database_however_long_that_is_away_and_is_answered_once(
    webhook: Webhook, services: Services, monkeypatch: pytest.MonkeyPatch, unhurried: None
) -> None:
    for name in ("WORKING_PAUSE", "LONGEST_WORKING_PAUSE"):
        monkeypatch.setattr(channel_module, name, 0.01)
    times = channel_module.WORKING_TRIES * 2
    for owner, name in ((Conversations, "begin_turn"), (TelegramInbox, "begin"), (TelegramInbox, "finish")):
        monkeypatch.setattr(owner, name, away(getattr(owner, name), times, GONE))
    await webhook.post(update(1, 7, "apa itu simpel?"))
    await finished(services, 1)
    assert len(webhook.api.sent_to(7)) == 1


async def test_an_update_that_fails_for_another_reason_gets_a_sentence_and_does_not_come_again(
    webhook: Webhook, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "WORKING_PAUSE", 0.01)
    monkeypatch.setattr(Conversations, "begin_turn", away(Conversations.begin_turn, 99, ValueError("a fault of ours")))
    await webhook.post(update(1, 7, "apa itu simpel?"))
    await finished(services, 1)
    (said,) = webhook.api.sent_to(7)
    assert said["text"] == "Maaf, ada gangguan di pihak kami. Silakan coba lagi beberapa saat lagi."


SECRETS = ["rahasia negara", "3175012345678901", "Wiratmaja"]


async def test_no_log_holds_token_body_or_text_at_any_level(
    services: Services, assistant: Assistant, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], unhurried: None
) -> None:
    levels = {name: logging.getLogger(name).level for name in ("", "asyncio", "sqlalchemy", "uvicorn", *QUOTING)}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    silence_quoting_libraries()
    as_before = structlog.get_config()
    structlog.configure(logger_factory=own_events_only)
    caplog.set_level(logging.DEBUG)
    try:
        async with BotApi() as api:
            channel = channel_of(ConversationService(assistant, services), services, api)
            await channel.start()
            api.failures["sendMessage"] = [DOWN, (403, {}), (429, {"parameters": {"retry_after": 0}}), (400, {})]
            for chat, text in enumerate([f"apa itu {secret}?" for secret in SECRETS] * 3, 7):
                api.send(chat, text)
            api.send(50, contact={"phone_number": SECRETS[1], "first_name": SECRETS[2]})
            api.push({"message": {"text": SECRETS[0]}})
            api.push({"message": api.message(51, poll={"question": SECRETS[0]})})
            await finished(services, 11)
            await channel.stop()
    finally:
        structlog.configure(**as_before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    out, err = capfd.readouterr()
    logged = "\n".join([caplog.text, out, err, *(str(record.args) for record in caplog.records)])
    assert "telegram" in logged
    assert not [secret for secret in [*SECRETS, TOKEN, TOKEN.partition(":")[2], "first_name"] if secret in logged]
