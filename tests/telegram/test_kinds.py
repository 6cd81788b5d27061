"""Every kind of update gets a fitting answer, or none where nobody waits for one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from bot.assistant import Assistant
from services.assembly import Services
from services.handoff import Handoffs
from store.models import Message
from tests.clock import Clock
from tests.telegram.bot_api import BotApi
from tests.telegram.running import HeldCall, Webhook, edited, finished, stored, update

pytestmark = pytest.mark.usefixtures("unhurried")
FILE = {"file_id": "a", "file_unique_id": "b"}
PLACE = {"latitude": -6.17, "longitude": 106.82}
PERSON = {"id": 5, "is_bot": False, "first_name": "Ani"}
BOT = {"id": 1, "is_bot": True, "first_name": "Sapa", "username": "sapa_bot"}
PINNED = {"message_id": 2, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "halo"}
PHONE = "081234567890"
OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"voice": {**FILE, "duration": 3}}, "Pesan suara"),
    ({"audio": {**FILE, "duration": 3}}, "Pesan suara"),
    ({"video_note": {**FILE, "duration": 3, "length": 9}}, "Pesan suara"),
    ({"photo": [{**FILE, "width": 1, "height": 1}]}, "Gambar"),
    ({"video": {**FILE, "width": 1, "height": 1, "duration": 1}}, "Gambar"),
    (
        {"animation": {**FILE, "width": 1, "height": 1, "duration": 1}, "document": FILE},
        "Gambar",
    ),
    ({"document": FILE}, "Berkas"),
    (
        {"sticker": {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}},
        "Stiker",
    ),
    ({"location": PLACE}, "Lokasi"),
    ({"venue": {"location": PLACE, "title": "Monas", "address": "Jakarta"}, "location": PLACE}, "Lokasi"),
    ({"contact": {"phone_number": PHONE, "first_name": "Ani"}}, "nomornya tidak saya simpan"),
    (
        {
            "poll": {
                "id": "1",
                "question": "?",
                "options": [],
                "total_voter_count": 0,
                "is_closed": False,
                "is_anonymous": True,
                "type": "regular",
                "allows_multiple_answers": False,
            }
        },
        "Jajak pendapat",
    ),
    ({"dice": {"emoji": "🎲", "value": 3}}, "pesan teks"),
]


def texts_of(services: Services, author: str) -> list[str]:
    with services.database.session() as session:
        return list(session.scalars(select(Message.text).where(Message.author == author).order_by(Message.id)))


async def test_what_is_no_text_gets_its_own_sentence_and_leaves_only_its_kind(webhook: Webhook, services: Services) -> None:
    for number, (content, _) in enumerate(OTHERS, 1):
        await webhook.post(update(number, number, **content))
    await finished(services, len(OTHERS))
    for number, (_, words) in enumerate(OTHERS, 1):
        (answer,) = webhook.api.sent_to(number)
        assert words in answer["text"]
    kept = texts_of(services, "user")
    assert len(kept) == len(OTHERS)
    assert all(text.startswith("[") and PHONE not in text for text in kept)


async def test_a_picture_in_the_middle_of_a_form_leaves_its_question_open(webhook: Webhook, services: Services) -> None:
    await webhook.post(update(1, 7, "saya ingin menyampaikan aspirasi"))
    await webhook.post(update(2, 7, photo=[{**FILE, "width": 1, "height": 1}]))
    await webhook.post(update(3, 7, "ya"))
    await finished(services, 3)
    texts = [message["text"] for message in webhook.api.sent_to(7)]
    assert "Gambar" in texts[-3]
    assert "setuju" in texts[-2]
    assert "tuliskan aspirasi" in texts[-1]


async def test_a_caption_is_read_and_an_album_gets_one_sentence(webhook: Webhook, services: Services) -> None:
    photo = [{**FILE, "width": 1, "height": 1}]
    await webhook.post(update(1, 7, photo=photo, caption="apa itu simpel?"))
    for number in (2, 3, 4):
        await webhook.post(update(number, 8, photo=photo, media_group_id="9"))
    await finished(services, 4)
    note, answer = webhook.api.sent_to(7)
    assert "hanya membaca tulisannya" in note["text"]
    assert "Perjalanan Dinas Luar Negeri" in answer["text"]
    assert len(webhook.api.sent_to(8)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"forward_origin": {"type": "user", "date": 1_795_000_000, "sender_user": PERSON}},
        {
            "reply_to_message": {
                "message_id": 1,
                "date": 1_600_000_000,
                "chat": {"id": 7, "type": "private"},
                "from": BOT,
                "text": "lama",
            }
        },
        {"quote": {"text": "lama", "position": 0}},
    ],
)
async def test_a_forwarded_text_and_a_reply_to_an_old_message_are_read(
    more: dict[str, Any], webhook: Webhook, services: Services
) -> None:
    await webhook.post(update(1, 7, "apa itu simpel?", **more))
    (answer,) = await webhook.api.until_sent(7, 1)
    assert "Perjalanan Dinas Luar Negeri" in answer["text"]


@pytest.mark.parametrize(
    "content",
    [
        {"channel_post": {"message_id": 1, "date": 1, "chat": {"id": -9, "type": "channel"}, "text": "@sapa_bot apa itu simpel?"}},
        {"edited_channel_post": {"message_id": 1, "date": 1, "chat": {"id": -9, "type": "channel"}, "text": "halo", "edit_date": 2}},
        {"message": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "from": PERSON, "pinned_message": PINNED}},
        {"message": {"message_id": 1, "date": 1, "chat": {"id": -5, "type": "group"}, "from": PERSON, "migrate_to_chat_id": -1005}},
        {"message": {"message_id": 1, "date": 1, "chat": {"id": -5, "type": "group"}, "from": PERSON, "new_chat_members": [PERSON]}},
        {"poll": {"id": "1"}},
        {
            "message_reaction": {
                "chat": {"id": 7, "type": "private"},
                "message_id": 1,
                "date": 1,
                "old_reaction": [],
                "new_reaction": [],
            }
        },
        {"inline_query": {"id": "1", "from": PERSON, "query": "simpel", "offset": ""}},
        {},
    ],
)
async def test_what_nobody_waits_for_an_answer_to_gets_none(content: dict[str, Any], webhook: Webhook, services: Services) -> None:
    await webhook.post({"update_id": 1, **content})
    await webhook.post(update(2, 70, "apa itu simpel?"))
    await webhook.api.until_sent(70, 1)
    assert {form["chat_id"] for form in webhook.api.called("sendMessage")} == {"70"}


# Edits


async def test_of_a_message_that_was_changed_before_its_turn_the_last_text_counts(webhook: Webhook, services: Services) -> None:
    held = HeldCall(webhook.api)
    first, second = update(1, 7, "halo"), update(2, 7, "apa itu magang?")
    await webhook.post(first)
    await held.begun()
    await webhook.post(second)
    await webhook.post(edited(3, second, "apa itu stiker?"))
    await webhook.post(edited(4, second, "apa itu simpel?"))
    held.release()
    await finished(services, 4)
    answer = webhook.api.sent_to(7)[-1]
    assert "Perjalanan Dinas Luar Negeri" in answer["text"]
    assert texts_of(services, "user") == ["halo", "apa itu simpel?"]


async def test_a_change_after_the_answer_gets_a_word_and_a_moving_location_none(webhook: Webhook, services: Services) -> None:
    asked = update(1, 7, "apa itu simpel?")
    await webhook.post(asked)
    await finished(services, 1)
    await webhook.post(edited(2, asked, "apa itu magang?"))
    moved = update(3, 7, location=PLACE)
    await webhook.post({"update_id": 3, "edited_message": moved["message"] | {"edit_date": 1_795_000_001}})
    await finished(services, 3)
    _, answer = webhook.api.sent_to(7)
    assert "pesan baru" in answer["text"]


async def test_an_officer_gets_a_changed_text_as_a_new_message(bot_api: BotApi, services: Services) -> None:
    conversation = services.conversations.open("telegram", "id", "7")
    handoffs = Handoffs(services.database, services.conversations, services.drafts, services.hours, Clock("2026-11-23 10:00"))
    handoff_id = handoffs.ask(conversation.id).handoff_id
    handoffs.take(handoff_id, "rina")
    bot_api.push({"message": bot_api.message(7, message_id=5, text="besok jam dua")})
    await finished(services, 1)
    bot_api.push({"edited_message": bot_api.message(7, message_id=5, text="besok jam tiga", edit_date=1_795_000_001)})
    await finished(services, 2)
    assert [message.text for message in handoffs.transcript(handoff_id)] == ["besok jam dua", "besok jam tiga"]


# Groups


def in_group(number: int, text: str, **more: Any) -> dict[str, Any]:
    return update(number, 8, text, **{"chat": {"id": -5, "type": "supergroup", "title": "Warga"}, **more})


TO_BOT = {"reply_to_message": {"message_id": 1, "date": 1_795_000_000, "chat": {"id": -5, "type": "supergroup"}, "from": BOT}}


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("@sapa_bot apa itu simpel?", {}, "Perjalanan Dinas Luar Negeri"),
        ("apa itu simpel, @Sapa_Bot", {}, "Perjalanan Dinas Luar Negeri"),
        ("apa itu simpel?", TO_BOT, "Perjalanan Dinas Luar Negeri"),
        ("@sapa_bot what is SIMPEL?", {}, "SIMPEL"),
        ("@sapa_bot cek tiket saya ASP-20261123-7K4Q kode AB12CD", {}, "https://t.me/sapa_bot?start=grup"),
        ("@sapa_bot saya ingin menyampaikan aspirasi", {}, "https://t.me/sapa_bot?start=grup"),
        ("@sapa_bot apa itu simpel? NIK saya 3175012345678901", {}, "https://t.me/sapa_bot?start=grup"),
        ("@sapa_bot tolong, suami mau bunuh saya, hubungi 081234567890", {}, "SAPA 129"),
        ("/status@sapa_bot", {}, "https://t.me/sapa_bot?start=grup"),
        ("@sapa_bot", {}, "https://t.me/sapa_bot?start=grup"),
        ("siapa yang ikut rapat?", {}, None),
        ("@sapa_bot_lain apa itu simpel?", {}, None),
    ],
)
async def test_a_group_gets_knowledge_when_it_speaks_to_the_bot_and_for_the_rest_the_way_to_a_private_chat(
    text: str, more: dict[str, Any], words: str | None, webhook: Webhook, services: Services
) -> None:
    await webhook.post(in_group(1, text, **more))
    await finished(services, 1)
    sent = webhook.api.sent_to(-5)
    assert len(sent) == (words is not None)
    assert all(str(words) in message["text"] and '"message_id":1' in message["reply_parameters"].replace(" ", "") for message in sent)
    assert texts_of(services, "user") == []


async def test_words_that_only_sound_like_a_danger_bring_a_group_no_emergency_numbers(
    webhook: Webhook, services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    crisis, other = {"name": "crisis", "confidence": 0.8}, {"name": "help", "confidence": 0.1}
    understood = {"intent": crisis, "intent_ranking": [crisis, other], "entities": []}
    monkeypatch.setattr(assistant, "understand", lambda _text: understood)
    await webhook.post(in_group(1, "@sapa_bot tolong pelan-pelan, saya sudah tua"))
    await finished(services, 1)
    (sent,) = webhook.api.sent_to(-5)
    assert "https://t.me/sapa_bot?start=grup" in sent["text"]


async def test_a_group_that_became_a_supergroup_gets_its_answer_there(webhook: Webhook, services: Services) -> None:
    webhook.api.failures["sendMessage"] = [(400, {"parameters": {"migrate_to_chat_id": -1005}})]
    await webhook.post(in_group(1, "@sapa_bot apa itu simpel?"))
    await finished(services, 1)
    assert len(webhook.api.sent_to(-1005)) == 1


def member(number: int, chat: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    def state(status: str) -> dict[str, Any]:
        return {"status": status, "user": BOT, "until_date": 0}

    change = {"chat": chat, "from": PERSON, "date": 1_795_000_000}
    return {
        "update_id": number,
        "my_chat_member": {**change, "old_chat_member": state(before), "new_chat_member": state(after)},
    }


async def test_a_group_that_takes_the_bot_in_is_told_once_how_to_ask(webhook: Webhook, services: Services) -> None:
    group = {"id": -5, "type": "group", "title": "Warga"}
    await webhook.post(member(1, group, "left", "member"))
    await webhook.post(member(2, group, "member", "left"))
    await webhook.post(member(3, {"id": -9, "type": "channel", "title": "Kanal"}, "left", "member"))
    await finished(services, 3)
    (hello,) = webhook.api.called("sendMessage")
    assert "@sapa_bot" in hello["text"]


# Coming and going


def is_reachable(services: Services, chat: int) -> bool:
    return services.conversations.open("telegram", "id", str(chat)).unreachable_since is None


async def test_who_blocks_the_bot_is_noted_until_they_are_back(webhook: Webhook, services: Services) -> None:
    private = {"id": 7, "type": "private"}
    await webhook.post(update(1, 7, "halo"))
    await webhook.post(member(2, private, "member", "kicked"))
    await finished(services, 2)
    assert not is_reachable(services, 7)
    await webhook.post(member(3, private, "kicked", "member"))
    await finished(services, 3)
    assert is_reachable(services, 7)


@pytest.mark.parametrize("reason", ["Forbidden: bot was blocked by the user", "Forbidden: user is deactivated"])
async def test_a_refusal_for_good_is_noted_and_a_new_word_lifts_it(reason: str, webhook: Webhook, services: Services) -> None:
    webhook.api.failures["sendMessage"] = [(403, {"description": reason})]
    await webhook.post(update(1, 7, "halo"))
    await finished(services, 1)
    assert not is_reachable(services, 7)
    assert stored(services)[0].content is None
    await webhook.post(update(2, 7, "halo"))
    await webhook.api.until_sent(7, 1)
    assert is_reachable(services, 7)
