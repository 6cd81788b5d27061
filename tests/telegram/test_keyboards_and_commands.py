"""Buttons work once and only as issued; the menu's commands work in both languages and in the middle of a form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.channels.telegram.menu import meaning
from services.assembly import Services
from tests.telegram.bot_api import BotApi
from tests.telegram.running import Webhook, finished, update

pytestmark = pytest.mark.usefixtures("unhurried")


def keys_of(form: dict[str, Any]) -> dict[str, str]:
    """Label to data of the buttons under a message."""
    return {key["text"]: key["callback_data"] for row in json.loads(form["reply_markup"])["inline_keyboard"] for key in row}


async def asked(api: BotApi, text: str, chat: int = 7) -> dict[str, Any]:
    """The last message of the answer to a text."""
    before = len(api.sent_to(chat))
    api.send(chat, text)
    return (await api.until_sent(chat, before + 1))[-1]


async def test_a_keyboard_pressed_twice_works_once_and_is_taken_away(bot_api: BotApi) -> None:
    menu = await asked(bot_api, "/bantuan")
    data = keys_of(menu)["Sampaikan aspirasi"]
    for _ in range(3):
        bot_api.press(7, data, menu["message_id"])
    await bot_api.until_called("answerCallbackQuery", 3)
    toasts = [form.get("text") for form in bot_api.called("answerCallbackQuery")]
    assert sorted(map(str, toasts)) == ["None", "Tombol ini sudah Anda tekan.", "Tombol ini sudah Anda tekan."]
    assert len(bot_api.sent_to(7)) == 2
    assert all(form["message_id"] == str(menu["message_id"]) for form in await bot_api.until_called("editMessageReplyMarkup"))


async def test_a_keyboard_that_telegram_finds_unchanged_hurts_nobody(bot_api: BotApi) -> None:
    menu = await asked(bot_api, "/bantuan")
    bot_api.failures["editMessageReplyMarkup"] = [(400, {"description": "Bad Request: message is not modified"})]
    bot_api.failures["answerCallbackQuery"] = [(400, {"description": "Bad Request: query is too old"})]
    bot_api.press(7, keys_of(menu)["Sampaikan aspirasi"], menu["message_id"])
    assert "setuju" in (await bot_api.until_sent(7, 2))[1]["text"]


async def test_an_old_answer_button_is_answered_kindly_and_answers_no_other_question(bot_api: BotApi) -> None:
    question = await asked(bot_api, "saya ingin menyampaikan aspirasi")
    yes = next(data for label, data in keys_of(question).items() if label.startswith("Ya"))
    await asked(bot_api, "batal")
    bot_api.press(7, yes, question["message_id"])
    assert "tidak berlaku" in (await bot_api.until_sent(7, 3))[2]["text"]


async def test_an_old_button_of_the_menu_still_leads_where_it_says(bot_api: BotApi) -> None:
    menu = await asked(bot_api, "/bantuan")
    await asked(bot_api, "apa itu simpel?")
    bot_api.press(7, keys_of(menu)["Sampaikan aspirasi"], menu["message_id"])
    assert "setuju" in (await bot_api.until_sent(7, 3))[2]["text"]


async def test_another_chats_button_is_nobody_elses(bot_api: BotApi) -> None:
    menu = await asked(bot_api, "/bantuan")
    bot_api.press(8, keys_of(menu)["Sampaikan aspirasi"], menu["message_id"])
    assert "tidak berlaku" in (await bot_api.until_sent(8, 1))[0]["text"]


@pytest.mark.parametrize("typed", ["Sampaikan aspirasi", "sampaikan  ASPIRASI"])
async def test_typed_words_press_a_button_too(typed: str, bot_api: BotApi) -> None:
    await asked(bot_api, "/bantuan")
    assert "setuju" in (await asked(bot_api, typed))["text"]


async def test_a_typed_number_presses_the_button_in_that_place(bot_api: BotApi) -> None:
    menu = await asked(bot_api, "/bantuan")
    place = list(keys_of(menu)).index("Sampaikan aspirasi") + 1
    assert "setuju" in (await asked(bot_api, str(place)))["text"]


COMMANDS = [
    ("bantuan", "help", "", ""),
    ("status", "status", "tiket", "ticket"),
    ("aspirasi", "aspiration", "setuju", "agree"),
    ("informasi", "information", "14/2008", "14/2008"),
    ("simpel", "simpel", "SIMPEL", "SIMPEL"),
    ("petugas", "officer", "", ""),
    ("privasi", "privacy", "data Anda", "your data"),
    ("batal", "cancel", "", ""),
    ("bahasa", "language", "English", "Indonesia"),
]


async def test_every_command_is_answered_in_the_language_of_the_conversation(webhook: Webhook, services: Services) -> None:
    number = 0
    for place, (indonesian, english, words_id, words_en) in enumerate(COMMANDS):
        for chat, language, command, words in ((10 + place, "id", indonesian, words_id), (30 + place, "en", english, words_en)):
            person = {"id": chat, "is_bot": False, "first_name": "X", "language_code": language}
            await webhook.post(update(number + 1, chat, "/start", **{"from": person}))
            await webhook.post(update(number + 2, chat, f"/{command}", **{"from": person}))
            number += 2
            await finished(services, number)
            privacy, greeting, *answer = [form["text"] for form in webhook.api.sent_to(chat)]
            assert ("NIK" in privacy) and ("hapus data saya" if language == "id" else "delete my data") in privacy
            assert ("asisten otomatis" if language == "id" else "automated assistant") in greeting
            assert answer
            assert words in "\n".join(answer), command
            assert not any("perintah" in text or "command" in text.lower() for text in answer), command


async def test_a_command_in_the_middle_of_a_form_is_not_taken_for_its_answer(bot_api: BotApi, services: Services) -> None:
    await asked(bot_api, "saya ingin menyampaikan aspirasi")
    await asked(bot_api, "ya")
    await asked(bot_api, "/status")
    (conversation,) = [services.conversations.open("telegram", "id", "7")]
    draft = services.drafts.read(conversation.id, "aspiration")
    assert not (draft or {}).get("text")


@pytest.mark.parametrize(
    ("text", "known"), [("/hapus_semua", False), ('/submit_aspiration{"a": 1}', False), ("/bantuan@sapa_bot", True)]
)
async def test_only_the_commands_of_the_menu_are_taken(text: str, known: bool, bot_api: BotApi) -> None:
    answer = await asked(bot_api, text)
    assert ("reply_markup" in answer) == known


def test_the_menu_has_the_same_commands_in_both_languages() -> None:
    for indonesian, english, *_ in COMMANDS:
        for language in ("id", "en"):
            one, other = meaning(indonesian, language), meaning(english, language)
            assert one == other
            assert one is not None
    assert meaning("start", "id") is None


async def test_a_start_that_is_repeated_greets_once_in_the_log(webhook: Webhook, services: Services) -> None:
    for _ in range(2):
        await webhook.post(update(1, 7, "/start"))
    await finished(services, 1)
    conversation = services.conversations.open("telegram", "id", "7")
    assert [message.author for message in services.conversations.after(conversation.id, 0)] == ["user", "bot", "bot"]


async def test_the_bot_is_seen_typing_before_it_answers(bot_api: BotApi) -> None:
    await asked(bot_api, "apa itu simpel?")
    methods = [method for method, _ in bot_api.calls]
    assert methods.index("sendChatAction") < methods.index("sendMessage")
