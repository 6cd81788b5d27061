"""Updates from Telegram: stored before they are acknowledged, worked on once and in order, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from bot.assistant import Assistant
from bot.conversation import ConversationService
from services.assembly import Services
from store.encryption import Encryption
from store.telegram_inbox import TelegramInbox
from tests.telegram.bot_api import BotApi
from tests.telegram.running import ADDRESS, Webhook, channel_of, finished, stored, update


async def test_telegram_is_told_address_and_secret_and_the_menu_in_both_languages(webhook: Webhook) -> None:
    assert webhook.api.webhook == ADDRESS
    assert len(webhook.secret) == 64
    menus = await webhook.api.until_called("setMyCommands", 2)
    assert [form.get("language_code") for form in menus] == [None, "en"]


async def test_an_update_is_answered_and_forgotten_but_for_its_number(webhook: Webhook, services: Services) -> None:
    assert await webhook.post(update(1, 7, "apa itu simpel?")) == 200
    (answer,) = await webhook.api.until_sent(7, 1)
    assert "Perjalanan Dinas Luar Negeri" in answer["text"]
    await finished(services, 1)


async def test_an_update_seen_twice_has_one_effect(webhook: Webhook, services: Services) -> None:
    for _ in range(3):
        assert await webhook.post(update(1, 7, "apa itu simpel?")) == 200
    await webhook.api.until_sent(7, 1)
    await finished(services, 1)
    await asyncio.sleep(1.2)
    assert len(webhook.api.sent_to(7)) == 1


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (update(1, 7, "halo"), {"X-Telegram-Bot-Api-Secret-Token": ""}, 403),
        (update(1, 7, "halo"), {"X-Telegram-Bot-Api-Secret-Token": "x" * 64}, 403),
        (update(1, 7, "halo"), {"Content-Type": "text/plain"}, 415),
        ("{", {}, 400),
        ("[" * 30_000, {}, 400),
        ("[]", {}, 400),
        ('{"update_id": "1"}', {}, 400),
        ("x" * 70_000, {}, 413),
    ],
)
async def test_a_forged_call_is_refused_and_leaves_nothing(
    content: Any, headers: dict[str, str], status: int, webhook: Webhook, services: Services
) -> None:
    assert await webhook.post(content, **headers) == status
    assert stored(services) == []


async def test_a_body_without_a_length_is_limited_too(webhook: Webhook, services: Services) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret, "Content-Type": "application/json"}
    assert (await webhook.client.post("/telegram/masuk", headers=headers, content=endless())).status_code == 413


async def served_until_finished(services: Services, assistant: Assistant, count: int) -> BotApi:
    """A process that starts, deals with what is stored and stops; what Telegram was sent by it."""
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        await finished(services, count)
        await channel.stop()
    return api


async def test_what_a_crash_left_undone_is_done_by_the_next_start_once_and_in_order(services: Services, assistant: Assistant) -> None:
    inbox = TelegramInbox(services.database, services.encryption)
    for number in range(1, 13):
        assert inbox.accept(number, 7 + number % 3, update(number, 7 + number % 3, f"apa itu simpel nomor {number}?"))
    inbox.finish(1)
    inbox.release()
    api = await served_until_finished(services, assistant, 12)
    for chat in (7, 8, 9):
        conversation = services.conversations.open("telegram", "id", str(chat))
        messages = services.conversations.after(conversation.id, 0)
        asked = [message.text for message in messages if message.author == "user"]
        expected = [f"apa itu simpel nomor {number}?" for number in range(2, 13) if 7 + number % 3 == chat]
        assert asked == expected
        assert len(api.sent_to(chat)) == sum(message.author == "bot" for message in messages)


async def test_what_nobody_can_read_any_more_is_given_up_and_keeps_neither_the_start_nor_the_others_waiting(
    services: Services, assistant: Assistant
) -> None:
    under_a_lost_key = TelegramInbox(services.database, Encryption([Fernet.generate_key().decode()]))
    under_a_lost_key.accept(1, 7, update(1, 7, "apa itu simpel?"))
    inbox = TelegramInbox(services.database, services.encryption)
    inbox.accept(2, 8, {"update_id": 2, "message": {"text": "apa itu simpel?"}})
    inbox.accept(3, 9, update(3, 9, "apa itu simpel?"))
    for stopped in (under_a_lost_key, inbox):
        stopped.release()
    with capture_logs() as logs:
        api = await served_until_finished(services, assistant, 3)
    assert len(api.sent_to(9)) == 1
    given_up = [entry for entry in logs if entry["event"] == "telegram update can't be read any more"]
    assert given_up == [{"event": given_up[0]["event"], "log_level": "error", "update": number} for number in (1, 2)]


async def test_messages_that_telegram_had_taken_before_a_crash_are_not_sent_again(services: Services, assistant: Assistant) -> None:
    inbox = TelegramInbox(services.database, services.encryption)
    inbox.accept(1, 7, update(1, 7, "/start"))
    inbox.note_sent(1, 1)
    inbox.release()
    api = await served_until_finished(services, assistant, 1)
    assert len(api.sent_to(7)) == 1


async def test_a_link_may_lead_to_a_topic_at_once(webhook: Webhook) -> None:
    await webhook.post(update(1, 7, "/start simpel"))
    sent = await webhook.api.until_sent(7, 3)
    assert "Perjalanan Dinas Luar Negeri" in sent[2]["text"]


@pytest.mark.parametrize("failure", [(502, {}), (429, {"parameters": {"retry_after": 1}}), (500, {})])
async def test_telegram_being_down_for_a_moment_loses_nothing(failure: tuple[int, dict[str, Any]], webhook: Webhook) -> None:
    webhook.api.failures["sendMessage"] = [failure, failure]
    await webhook.post(update(1, 7, "apa itu simpel?"))
    assert len(await webhook.api.until_sent(7, 1)) == 1
