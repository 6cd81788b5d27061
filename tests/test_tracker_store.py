import json
from collections.abc import Sequence
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import func, select

from bot.assistant import Assistant
from services.assembly import Services
from store import tracker as tracker_module
from store.models import TrackerEvent
from store.tracker import KEPT_TRACKERS, SESSION_EVENTS, SapaTrackerStore


def store_of(services: Services, assistant: Assistant) -> tuple[SapaTrackerStore, Domain]:
    store = SapaTrackerStore(assistant.domain, services.database)
    return store, assistant.domain


def count(services: Services) -> int:
    with services.database.session() as session:
        return session.scalar(select(func.count()).select_from(TrackerEvent)) or 0


async def test_a_save_writes_only_what_is_new(services: Services, assistant: Assistant) -> None:
    store, domain = store_of(services, assistant)
    tracker = DialogueStateTracker.from_events("c", [ActionExecuted("action_listen")], domain.slots)
    await store.save(tracker)
    await store.save(tracker)
    again = await store.retrieve("c")
    assert again is not None
    again.update(UserUttered("halo"), domain)
    await store.save(again)
    assert count(services) == 2


async def test_a_long_conversation_goes_on_in_a_new_session_with_slots_and_open_form(services: Services, assistant: Assistant) -> None:
    store, domain = store_of(services, assistant)
    events = [SlotSet("last_topic", "magang"), ActiveLoop("aspiration_form"), SlotSet("requested_slot", "aspiration_text")]
    events += [UserUttered("halo") for _ in range(SESSION_EVENTS)]
    await store.save(DialogueStateTracker.from_events("c", events, domain.slots))
    tracker = await store.retrieve("c")
    assert tracker is not None
    assert len(tracker.events) < 20
    assert tracker.get_slot("last_topic") == "magang"
    assert tracker.get_slot("requested_slot") == "aspiration_text"
    assert tracker.active_loop_name == "aspiration_form"
    await store.save(tracker)
    once_more = await store.retrieve("c")
    assert once_more is not None
    assert len(once_more.events) == len(tracker.events)


async def test_what_a_turn_reads_does_not_grow_with_the_conversation(services: Services, assistant: Assistant) -> None:
    longest = 0
    for n in range(60):
        answer = await assistant.respond("c", f"halo {n}", {"intent": {"name": "thank", "confidence": 1.0}, "entities": []})
        await assistant.tracker_store.save(answer.events.tracker)
        tracker = await assistant.tracker_store.retrieve("c")
        assert tracker is not None
        longest = max(longest, len(tracker.events))
    assert longest <= SESSION_EVENTS + 10
    assert "c" in await assistant.tracker_store.keys()
    await assistant.tracker_store.delete("c")
    assert await assistant.tracker_store.retrieve("c") is None


async def overtaken(services: Services, assistant: Assistant) -> tuple[SapaTrackerStore, SapaTrackerStore]:
    """A store that remembers "c" with the topic "magang", and that of another process, which has written "simpel" since."""
    ours, domain = store_of(services, assistant)
    theirs, _ = store_of(services, assistant)
    await ours.save(DialogueStateTracker.from_events("c", [SlotSet("last_topic", "magang")], domain.slots))
    other = await theirs.retrieve("c")
    assert other is not None
    other.update(SlotSet("last_topic", "simpel"), domain)
    await theirs.save(other)
    return ours, theirs


async def test_a_tracker_in_memory_is_read_again_where_another_process_has_written(services: Services, assistant: Assistant) -> None:
    ours, _ = await overtaken(services, assistant)
    tracker = await ours.retrieve("c")
    assert tracker is not None
    assert tracker.get_slot("last_topic") == "simpel"


def rows_read(store: SapaTrackerStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conversations whose rows are read from now on."""
    read, asked = store._read, []

    def noted(sender_id: str) -> Sequence[Any]:
        asked.append(sender_id)
        return read(sender_id)

    monkeypatch.setattr(store, "_read", noted)
    return asked


async def test_who_only_looks_leaves_the_tracker_in_memory_for_the_turn(
    services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assistant.set_language("c", "en")
    newest = assistant.tracker_store._newest("c")
    asked = rows_read(assistant.tracker_store, monkeypatch)
    assert await assistant.language("c") == "en"
    assert await assistant.said_before("c", newest) == (None, None)
    assert await assistant.opened_ticket("c") is None
    await assistant.respond("c", "thanks", {"intent": {"name": "thank", "confidence": 1.0}, "entities": []})
    assert asked == []
    await assistant.language("c")
    assert asked == ["c"], "a turn that was not stored leaves nothing behind"


async def test_who_looks_sees_what_another_process_has_written_and_the_turn_need_not_read_it_again(
    services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = await overtaken(services, assistant)
    asked = rows_read(ours, monkeypatch)
    seen = await ours.peek("c")
    assert seen is not None
    assert seen.get_slot("last_topic") == "simpel"
    assert await ours.peek("c") is seen
    assert await ours.retrieve("c") is seen
    assert asked == ["c"]
    await theirs.delete("c")
    assert await ours.peek("c") is None


async def test_a_tracker_that_was_read_to_look_goes_on_as_one_that_was_written_here(services: Services, assistant: Assistant) -> None:
    ours, domain = store_of(services, assistant)
    theirs, _ = store_of(services, assistant)
    await ours.save(DialogueStateTracker.from_events("c", [SlotSet("last_topic", "magang")], domain.slots))
    await theirs.peek("c")
    taken = await theirs.retrieve("c")
    assert taken is not None
    taken.update(SlotSet("last_topic", "simpel"), domain)
    new = theirs.new_events(taken)
    assert new.row is not None
    assert [event["value"] for event in json.loads(new.row["data"])] == ["simpel"]


async def test_a_deleted_conversation_is_not_answered_from_memory(services: Services, assistant: Assistant) -> None:
    ours, domain = store_of(services, assistant)
    theirs, _ = store_of(services, assistant)
    await ours.save(DialogueStateTracker.from_events("c", [SlotSet("last_topic", "magang")], domain.slots))
    await theirs.delete("c")
    assert await ours.retrieve("c") is None


async def test_a_turn_that_fails_before_it_is_stored_leaves_no_trace(services: Services, assistant: Assistant) -> None:
    store, domain = store_of(services, assistant)
    await store.save(DialogueStateTracker.from_events("c", [SlotSet("last_topic", "magang")], domain.slots))
    lost = await store.retrieve("c")
    assert lost is not None
    lost.update(SlotSet("last_topic", "simpel"), domain)
    tracker = await store.retrieve("c")
    assert tracker is not None
    assert tracker.get_slot("last_topic") == "magang"


async def test_of_many_conversations_the_last_stay_in_memory_and_the_others_are_read_again(
    services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_module, "KEPT_TRACKERS", 2)
    store, domain = store_of(services, assistant)
    saved = {}
    for name in ("a", "b", "c"):
        saved[name] = DialogueStateTracker.from_events(name, [SlotSet("last_topic", f"topik {name}")], domain.slots)
        await store.save(saved[name])
    again = {name: await store.retrieve(name) for name in saved}
    assert {name: tracker is saved[name] for name, tracker in again.items()} == {"a": False, "b": True, "c": True}
    assert {name: tracker and tracker.get_slot("last_topic") for name, tracker in again.items()} == {
        name: f"topik {name}" for name in saved
    }


async def test_an_assistant_keeps_as_many_trackers_in_memory_as_it_is_told(services: Services, assistant: Assistant) -> None:
    assistant.keep_trackers(2)
    try:
        for number in range(5):
            await assistant.set_language(services.conversations.open("web", "id").id, "id" if number % 2 else "en")
        assert len(assistant.tracker_store._kept) == 2
    finally:
        assistant.keep_trackers(KEPT_TRACKERS)
