"""Updates of every shape that the Bot API knows, whole and broken, are dealt with and cause no error: 5,000 by `make chaos`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bot.channels.telegram import channel as channel_module
from tests.telegram.running import Webhook, stored

IDS = st.integers(1, 2**40)
WORDS = ["halo", "ya", "1", "apa itu simpel?", "/start", "/start simpel", "/batal@sapa_bot", "@sapa_bot halo", "", "\u0000"]
TEXTS = st.sampled_from(WORDS) | st.text(max_size=40)
USERS = st.fixed_dictionaries(
    {"id": IDS, "is_bot": st.booleans(), "first_name": TEXTS}, optional={"language_code": st.sampled_from(["id", "en", "ar"])}
)
CHATS = st.fixed_dictionaries(
    {
        "id": IDS | IDS.map(lambda number: -number),
        "type": st.sampled_from(["private", "private", "group", "supergroup", "channel", "x"]),
    }
)
FILE = {"file_id": "a", "file_unique_id": "b"}
SIZED = {**FILE, "width": 1, "height": 1}
CONTENT: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "caption": TEXTS,
    "photo": st.just([SIZED]) | st.just([]),
    "voice": st.just({**FILE, "duration": 1}),
    "video": st.just({**SIZED, "duration": 1}),
    "document": st.just(FILE),
    "sticker": st.just({**SIZED, "type": "regular", "is_animated": False, "is_video": False}),
    "location": st.fixed_dictionaries({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}),
    "contact": st.fixed_dictionaries({"phone_number": TEXTS, "first_name": TEXTS}),
    "poll": st.fixed_dictionaries({"id": TEXTS, "question": TEXTS}),
    "dice": st.just({"emoji": "🎲", "value": 1}),
    "forward_origin": st.fixed_dictionaries(
        {"type": st.sampled_from(["user", "hidden_user", "new"]), "date": st.just(1), "sender_user": USERS}
    ),
    "entities": st.lists(
        st.fixed_dictionaries({"type": st.sampled_from(["bold", "mention", "new"]), "offset": IDS, "length": IDS}), max_size=2
    ),
    "media_group_id": st.just("1"),
    "new_chat_members": st.lists(USERS, max_size=2),
    "left_chat_member": USERS,
    "migrate_to_chat_id": IDS.map(lambda number: -number),
    "pinned_message": st.just({"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}),
    "sender_chat": CHATS,
    "message_thread_id": IDS,
    "via_bot": USERS,
    "successful_payment": st.just({}),
    "story": st.just({"id": 1, "chat": {"id": 1, "type": "private"}}),
}
PLAIN = st.fixed_dictionaries(
    {"message_id": IDS, "date": st.integers(0, 2**31 - 1), "chat": CHATS}, optional={"from": USERS, **CONTENT}
)
MESSAGES = PLAIN | st.builds(lambda message, other: {**message, "reply_to_message": other}, PLAIN, PLAIN)
MEMBERS = st.fixed_dictionaries(
    {"status": st.sampled_from(["member", "kicked", "left", "administrator", "restricted", "new"]), "user": USERS},
    optional={"until_date": IDS},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(CONTENT)) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
CHANGES = st.fixed_dictionaries(
    {"chat": CHATS, "from": USERS, "date": st.just(1), "old_chat_member": MEMBERS, "new_chat_member": MEMBERS}
)
PRESSES = st.fixed_dictionaries({"id": TEXTS, "from": USERS, "chat_instance": TEXTS}, optional={"message": MESSAGES, "data": TEXTS})
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "message": MESSAGES,
    "edited_message": MESSAGES,
    "channel_post": MESSAGES,
    "callback_query": PRESSES,
    "my_chat_member": CHANGES,
    "chat_member": CHANGES,
    "poll_answer": JSON,
    "message_reaction": JSON,
    "inline_query": JSON,
    "pre_checkout_query": JSON,
    "business_message": MESSAGES,
    "something_new": JSON,
}
WHOLE = st.one_of([st.fixed_dictionaries({name: shape}) for name, shape in KINDS.items()])
BROKEN = st.fixed_dictionaries({}, optional=dict.fromkeys(KINDS, JSON)) | st.builds(
    lambda message, name, value: {"message": {**message, name: value}}, PLAIN, st.sampled_from(["chat", "from", *CONTENT]), JSON
)
BATCH = 20
CITIZEN = {"id": 7, "is_bot": False, "first_name": "Sri", "language_code": 5}
FROM_CITIZEN = {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "from": CITIZEN}
NO_WORDS = [
    {"message": {**FROM_CITIZEN, "text": ["halo", None]}},
    {"message": {**FROM_CITIZEN, "photo": [SIZED], "caption": {"halo": 1}, "media_group_id": 1}},
    {"edited_message": {**FROM_CITIZEN, "text": 7}},
    {"message": {**FROM_CITIZEN, "chat": {"id": -7, "type": "group"}, "text": ["@sapa_bot"]}},
    {"callback_query": {"id": "1", "from": CITIZEN, "chat_instance": "1", "message": FROM_CITIZEN, "data": [1]}},
]
"""Where text should stand, something else does."""
BATCHES = st.lists(WHOLE | WHOLE | BROKEN, min_size=BATCH, max_size=BATCH)


@pytest.fixture
def numbers(unhurried: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(channel_module, "WORKING_TRIES", 1)
    return count(1)


async def deal_with(webhook: Webhook, batch: list[dict[str, Any]], numbers: Iterator[int]) -> None:
    for content in batch:
        assert await webhook.post({"update_id": next(numbers), **content}) == 200
    async with asyncio.timeout(60):
        while any(row.content for row in stored(webhook.services)):
            await asyncio.sleep(0.01)


# A failing batch is shown as it is: to shrink it by real turns takes longer than to read it.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SHARED = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)


@settings(SHARED, max_examples=10)
@given(batch=BATCHES)
@example(batch=NO_WORDS)
async def test_updates_of_any_shape_are_dealt_with_without_an_error(
    batch: list[dict[str, Any]], webhook: Webhook, numbers: Iterator[int], capfd: pytest.CaptureFixture[str]
) -> None:
    await deal_with(webhook, batch, numbers)
    out, err = capfd.readouterr()
    assert "failed" not in out + err


@pytest.mark.chaos
@pytest.mark.timeout(1500)
@settings(SHARED, max_examples=5_000 // BATCH)
@given(batch=BATCHES)
async def test_5000_updates_of_any_shape_are_dealt_with_without_an_error(
    batch: list[dict[str, Any]], webhook: Webhook, numbers: Iterator[int], capfd: pytest.CaptureFixture[str]
) -> None:
    await deal_with(webhook, batch, numbers)
    out, err = capfd.readouterr()
    assert "failed" not in out + err
