"""Updates from Telegram: stored before they are acknowledged, worked on once and in order, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.assistant import Assistant
from bot.channels.telegram.text import LONGEST, pieces
from bot.conversation import ConversationService
from bot.messages import Outbound
from bot.server import create_app
from services.assembly import Services
from services.settings import Settings
from store.database import utc_now
from store.models import TelegramUpdate
from store.telegram_inbox import TelegramInbox
from tests.bot_api import BotApi
from tests.test_telegram import channel_of

ADDRESS = "https://sapa.example/telegram/masuk"


def update(number: int, chat: int, text: str, **message: Any) -> dict[str, Any]:
    user = {"id": chat, "is_bot": False, "first_name": "Warga", "language_code": "id"}
    body = {
        "message_id": number,
        "date": 1_795_000_000,
        "chat": {"id": chat, "type": "private"},
        "from": user,
        "text": text,
        **message,
    }
    return {"update_id": number, "message": body}


def stored(services: Services) -> list[TelegramUpdate]:
    with services.database.session() as session:
        return list(session.scalars(select(TelegramUpdate).order_by(TelegramUpdate.update_id)))


async def finished(services: Services, count: int) -> None:
    async with asyncio.timeout(60):
        while len(rows := stored(services)) < count or any(row.content for row in rows):
            await asyncio.sleep(0.05)


class Webhook:
    def __init__(self, client: httpx.AsyncClient, api: BotApi, secret: str) -> None:
        self.client, self.api, self.secret = client, api, secret

    async def post(self, content: Any, **headers: str) -> int:
        given = {"X-Telegram-Bot-Api-Secret-Token": self.secret, "Content-Type": "application/json", **headers}
        body = {"content": content} if isinstance(content, str | bytes) else {"json": content}
        response = await self.client.post("/telegram/masuk", headers=given, **body)  # type: ignore[arg-type]
        return response.status_code


@pytest.fixture
async def webhook(services: Services, assistant: Assistant) -> AsyncIterator[Webhook]:
    """The whole application with its webhook, and the stand-in that it sends to."""
    async with BotApi() as api:
        data = services.settings.data_dir
        values = {"TELEGRAM_BOT_TOKEN": "1:secret", "TELEGRAM_BASE_URL": api.base_url, "TELEGRAM_WEBHOOK_URL": ADDRESS}
        object.__setattr__(services, "settings", Settings(_env_file=None, SAPA_DATA_DIR=data, **values))  # type: ignore[call-arg]
        app = create_app(services, assistant)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sapa.test", timeout=30) as client,
        ):
            ((_, set_webhook),) = [call for call in api.calls if call[0] == "setWebhook"]
            yield Webhook(client, api, set_webhook["secret_token"])


async def test_telegram_is_told_address_and_secret_and_the_menu_in_both_languages(webhook: Webhook) -> None:
    assert webhook.api.webhook == ADDRESS
    assert len(webhook.secret) == 64
    menus = [form for method, form in webhook.api.calls if method == "setMyCommands"]
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


async def test_what_a_crash_left_undone_is_done_by_the_next_start_once_and_in_order(services: Services, assistant: Assistant) -> None:
    inbox = TelegramInbox(services.database, services.encryption)
    for number in range(1, 13):
        assert inbox.accept(number, update(number, 7 + number % 3, f"apa itu simpel nomor {number}?"))
    inbox.finish(1)
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        await finished(services, 12)
        await channel.stop()
    for chat in (7, 8, 9):
        conversation = services.conversations.open("telegram", "id", str(chat))
        messages = services.conversations.after(conversation.id, 0)
        asked = [message.text for message in messages if message.author == "user"]
        expected = [f"apa itu simpel nomor {number}?" for number in range(2, 13) if 7 + number % 3 == chat]
        assert asked == expected
        assert len(api.sent_to(chat)) == sum(message.author == "bot" for message in messages)


async def test_messages_that_telegram_had_taken_before_a_crash_are_not_sent_again(services: Services, assistant: Assistant) -> None:
    inbox = TelegramInbox(services.database, services.encryption)
    inbox.accept(1, update(1, 7, "/start"))
    inbox.note_sent(1, 1)
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        await finished(services, 1)
        await channel.stop()
    assert len(api.sent_to(7)) == 1


async def test_a_link_may_lead_to_a_topic_at_once(webhook: Webhook) -> None:
    await webhook.post(update(1, 7, "/start simpel"))
    sent = await webhook.api.until_sent(7, 3)
    assert "Perjalanan Dinas Luar Negeri" in sent[2]["text"]


@pytest.mark.parametrize(
    ("text", "more", "answers"),
    [
        ("@sapa_bot cek tiket saya", {}, 1),
        ("siapa yang ikut rapat?", {}, 0),
        (
            "iya",
            {
                "reply_to_message": {
                    "message_id": 1,
                    "date": 1_795_000_000,
                    "chat": {"id": -5, "type": "group"},
                    "from": {"id": 1, "is_bot": True, "first_name": "Sapa"},
                }
            },
            1,
        ),
    ],
)
async def test_a_group_gets_the_way_to_a_private_chat_when_it_speaks_to_the_bot(
    text: str, more: dict[str, Any], answers: int, webhook: Webhook, services: Services
) -> None:
    content = update(1, 8, text, **more)
    content["message"]["chat"] = {"id": -5, "type": "group"}
    await webhook.post(content)
    await finished(services, 1)
    sent = webhook.api.sent_to(-5)
    assert len(sent) == answers
    assert all("https://t.me/sapa_bot?start=" in message["text"] for message in sent)


async def test_an_edited_message_gets_a_word(webhook: Webhook) -> None:
    edited = update(1, 7, "apa itu magang?")
    edited["edited_message"] = edited.pop("message") | {"edit_date": 1_795_000_001}
    await webhook.post(edited)
    (answer,) = await webhook.api.until_sent(7, 1)
    assert "pesan baru" in answer["text"]


@pytest.mark.parametrize("failure", [(502, {}), (429, {"parameters": {"retry_after": 1}}), (500, {})])
async def test_telegram_being_down_for_a_moment_loses_nothing(failure: tuple[int, dict[str, Any]], webhook: Webhook) -> None:
    webhook.api.failures["sendMessage"] = [failure, failure]
    await webhook.post(update(1, 7, "apa itu simpel?"))
    assert len(await webhook.api.until_sent(7, 1)) == 1


async def test_a_flood_from_one_chat_gets_a_sentence_and_keeps_nobody_waiting(webhook: Webhook, services: Services) -> None:
    await asyncio.gather(*(webhook.post(update(number, 7, "apa itu simpel?")) for number in range(1, 41)))
    await webhook.post(update(99, 8, "apa itu simpel?"))
    await webhook.api.until_sent(8, 1)
    async with asyncio.timeout(60):
        while not any("lebih cepat" in message["text"] or "cepat" in message["text"] for message in webhook.api.sent_to(7)):
            await asyncio.sleep(0.1)


KINDS = "message edited_message channel_post callback_query my_chat_member poll inline_query message_reaction".split()


def odd_value(random: Random, depth: int = 0) -> Any:
    """Anything that JSON can hold where Telegram's own objects are expected."""
    simple = [None, True, random.randint(-(2**40), 2**40), "teks", "", "\u0000", 1.5]
    if depth > 2 or random.random() < 0.4:
        return random.choice(simple)
    if random.random() < 0.3:
        return [odd_value(random, depth + 1) for _ in range(random.randint(0, 3))]
    names = random.sample("id text chat from data type date message_id caption sticker voice contact location entities".split(), 5)
    return {name: odd_value(random, depth + 1) for name in names}


async def test_updates_of_any_shape_are_taken_without_an_error(webhook: Webhook, services: Services, caplog) -> None:
    random = Random(20261124)
    for number in range(1, 501):
        content = update(number, number % 7 + 1, "halo") if number % 2 else {"update_id": number}
        kind = random.choice(KINDS)
        value = odd_value(random)
        content[kind] = {**content[kind], **value} if isinstance(value, dict) and isinstance(content.get(kind), dict) else value
        assert await webhook.post(content) == 200
    async with asyncio.timeout(120):
        while any(row.content for row in stored(services)):
            await asyncio.sleep(0.1)
    assert "telegram update failed" not in caplog.text


WORDS = st.sampled_from(["kata", "**tebal**", "[tautan](https://contoh.id/a)", "\n", "🙂" * 30, "panjang" * 100, "- butir\n"])


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=900))
def test_a_long_message_is_cut_into_pieces_that_telegram_takes_and_nothing_is_lost(words: list[str]) -> None:
    text = " ".join(words)
    source = {"title": "Sumber", "url": "https://contoh.id", "checked_on": "2026-11-23"}
    cut = pieces(Outbound(1, "bot", text, utc_now(), [], [source], None))
    for piece in cut:
        seen = piece.replace("<b>", "").replace("</b>", "").replace("</a>", "").replace("<i>", "").replace("</i>", "")
        assert len(seen.encode("utf-16-le")) // 2 <= LONGEST + 60 * piece.count("<a ")
        assert piece.count("<b>") == piece.count("</b>")
        assert piece.count("<a ") == piece.count("</a>")
    together = "".join(cut)
    assert together.count("kata") == text.count("kata")
    assert together.count("tebal") == text.count("tebal")
    assert together.count("🙂") == text.count("🙂")
