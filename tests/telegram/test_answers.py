"""A citizen talks to the bot on Telegram: questions, buttons, an officer, and Telegram's refusals."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.announcements import Announcements
from bot.assistant import Assistant
from bot.conversation import ConversationService
from bot.courier import Courier
from bot.rate_limits import Rates
from services.assembly import Services
from services.handoff import Handoffs
from tests.clock import Clock
from tests.telegram.bot_api import BotApi
from tests.telegram.running import channel_of, finished
from tests.telling import tell_all


async def test_start_greets_and_says_that_it_is_a_machine(bot_api: BotApi) -> None:
    bot_api.send(7, "/start")
    sent = await bot_api.until_sent(7, 2)
    assert "asisten otomatis" in sent[1]["text"]


async def test_a_question_is_answered_with_its_source(bot_api: BotApi) -> None:
    bot_api.send(7, "apa itu simpel?")
    (answer,) = await bot_api.until_sent(7, 1)
    assert answer["parse_mode"] == "HTML"
    assert "Perjalanan Dinas Luar Negeri" in answer["text"]
    assert "2026-11-23" in answer["text"]


async def test_buttons_carry_only_ids_and_work(bot_api: BotApi) -> None:
    bot_api.send(7, "/bantuan")
    (menu,) = await bot_api.until_sent(7, 1)
    keys = [key for row in json.loads(menu["reply_markup"])["inline_keyboard"] for key in row]
    assert all(len(key["callback_data"].encode()) <= 64 and "/" not in key["callback_data"] for key in keys)
    bot_api.press(7, keys[1]["callback_data"])
    assert "setuju" in (await bot_api.until_sent(7, 2))[1]["text"]


@pytest.mark.parametrize("data", ["/submit_aspiration", '/ask_information{"entry": "simpel"}', "x" * 64, "0"])
async def test_a_forged_callback_is_refused_kindly(bot_api: BotApi, data: str) -> None:
    bot_api.press(7, data)
    (answer,) = await bot_api.until_sent(7, 1)
    assert "tidak berlaku" in answer["text"]


async def test_what_is_no_text_gets_a_word_and_a_group_that_talks_of_other_things_is_left_alone(bot_api: BotApi) -> None:
    bot_api.send(8, "halo", chat={"id": -5, "type": "group"})
    bot_api.send(
        7,
        sticker={
            "file_id": "a",
            "file_unique_id": "b",
            "type": "regular",
            "width": 1,
            "height": 1,
            "is_animated": False,
            "is_video": False,
        },
    )
    (answer,) = await bot_api.until_sent(7, 1)
    assert "hanya membaca tulisan" in answer["text"]
    assert not bot_api.sent_to(-5)


async def test_the_conversation_is_found_again_by_its_chat(bot_api: BotApi) -> None:
    bot_api.send(7, "saya ingin menyampaikan aspirasi")
    await bot_api.until_sent(7, 1)
    bot_api.send(7, "ya")
    assert "tuliskan aspirasi" in (await bot_api.until_sent(7, 2))[1]["text"]


async def test_it_waits_as_long_as_telegram_asks_and_then_delivers(bot_api: BotApi) -> None:
    bot_api.failures["sendMessage"] = [(429, {"parameters": {"retry_after": 1}})]
    bot_api.send(7, "halo")
    await bot_api.until_sent(7, 1)


async def test_a_blocked_bot_hurts_nobody_else(bot_api: BotApi) -> None:
    bot_api.failures["sendMessage"] = [(403, {})]
    bot_api.send(7, "halo")
    bot_api.send(9, "halo")
    bot_api.send(9, "apa itu magang?")
    await bot_api.until_sent(9, 1)


async def test_an_officers_words_are_sent_to_the_chat_in_order(bot_api: BotApi, services: Services, assistant: Assistant) -> None:
    conversation = services.conversations.open("telegram", "id", "7")
    channel = channel_of(ConversationService(assistant, services), services, bot_api)
    courier = Courier(services.conversations, {"telegram": channel.deliver})
    announcements = Announcements(ConversationService(assistant, services), services, courier)
    clock = Clock("2026-11-23 10:00")
    handoffs = Handoffs(services.database, services.conversations, services.drafts, services.hours, clock)
    handoff_id = handoffs.ask(conversation.id).handoff_id
    handoffs.take(handoff_id, "rina")
    handoffs.say(handoff_id, "rina", "Selamat pagi")
    handoffs.hand_back(handoff_id, "rina")
    async with channel._application:
        await tell_all(announcements)
    texts = [message["text"] for message in bot_api.sent_to(7)]
    assert len(texts) == 3
    assert texts[0].startswith("Petugas sudah bergabung")
    assert texts[1] == "Selamat pagi"
    assert "kembali melayani" in texts[2]


async def test_a_message_to_an_officer_gets_no_answer_in_the_chat(bot_api: BotApi, services: Services) -> None:
    conversation = services.conversations.open("telegram", "id", "7")
    clock = Clock("2026-11-23 10:00")
    handoffs = Handoffs(services.database, services.conversations, services.drafts, services.hours, clock)
    handoff_id = handoffs.ask(conversation.id).handoff_id
    handoffs.take(handoff_id, "rina")
    bot_api.send(7, "apa itu simpel?")
    async with asyncio.timeout(20):
        while not handoffs.transcript(handoff_id):
            await asyncio.sleep(0.02)
    assert not bot_api.sent_to(7)


async def test_a_download_is_offered_where_the_whole_address_is_known(bot_api: BotApi, services: Services) -> None:
    bot_api.send(7, "unduh data saya")
    (answer,) = await bot_api.until_sent(7, 1)
    assert "belum tersedia di kanal ini" in answer["text"]


async def test_who_writes_too_often_is_told_once_and_then_not_answered(services: Services, assistant: Assistant) -> None:
    service = ConversationService(assistant, services)
    async with BotApi() as api:
        channel = channel_of(service, services, api, Rates(messages_of_session="2/day"))
        await channel.start()
        for _ in range(6):
            api.send(7, "halo")
        api.send(8, "halo")
        await api.until_sent(8, 1)
        sent = [message["text"] for message in await api.until_sent(7, 3)]
        await channel.stop()
    assert [text for text in sent if "lebih cepat" in text] == sent[-1:]


async def test_who_presses_too_often_is_told_so_at_each_press_in_passing(services: Services, assistant: Assistant) -> None:
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api, Rates(messages_of_session="1/day"))
        await channel.start()
        api.send(7, "halo")
        await api.until_sent(7, 1)
        for _ in range(3):
            api.press(7, "x")
        told = await api.until_called("answerCallbackQuery", 3)
        await finished(services, 4)
        await channel.stop()
    assert all("lebih cepat" in press["text"] for press in told)
    assert len(api.sent_to(7)) == 1


async def test_who_changes_texts_too_often_does_not_flood_an_officer(services: Services, assistant: Assistant) -> None:
    conversation = services.conversations.open("telegram", "id", "7")
    handoffs = Handoffs(services.database, services.conversations, services.drafts, services.hours, Clock("2026-11-23 10:00"))
    handoff_id = handoffs.ask(conversation.id).handoff_id
    handoffs.take(handoff_id, "rina")
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api, Rates(messages_of_session="2/day"))
        await channel.start()
        for number in range(5):
            api.push({"edited_message": api.message(7, text=f"maksud saya {number}", edit_date=1_795_000_001)})
        await finished(services, 5)
        await channel.stop()
    assert [message.text for message in handoffs.transcript(handoff_id)] == ["maksud saya 0", "maksud saya 1"]
    assert ["lebih cepat" in message["text"] for message in api.sent_to(7)] == [True]


async def test_another_program_is_not_answered(bot_api: BotApi) -> None:
    bot_api.send(7, "halo", **{"from": {"id": 7, "is_bot": True, "first_name": "Bot"}})
    bot_api.send(8, "halo")
    await bot_api.until_sent(8, 1)
    assert bot_api.sent_to(7) == []
