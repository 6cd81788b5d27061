"""What is made quick in Rasa's dialogue core gives what Rasa's own gives, after each event of whole talks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from copy import copy
from pathlib import Path
from typing import Any

import httpx
import pytest
from rasa.core.actions.action import ActionExtractSlots
from rasa.core.actions.forms import FormAction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.constants import PLACEHOLDER_TRACKER
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.slots import TextSlot
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import select

from bot.assistant import Assistant
from bot.dialogue_speed import KEPT_MATCHES, OURS, RASAS_OWN, _Rules, extract_slots, load_domain
from services.assembly import Services
from store.models import TrackerEvent
from store.tracker import _events_of
from tests.citizen import Citizen

TALKS = [
    ("halo", "apa itu SIMPEL?", "berapa biayanya", "terima kasih", "dadah"),
    ("saya mau cek status simpel", "jam buka kantor?", "DEMO-SMP-000105", "4zd8kf", "mau ngobrol sama petugas"),
    ("saya ingin menyampaikan aspirasi", "ya", "apakah data saya aman?", "Perbanyak beasiswa anak nelayan", "batal", "asdf qwer"),
    ("mau minta informasi publik", "wni", "batal", "what is SIMPEL?", "cek tiket", "PIP-20261123-7K4Q", "ZZZZZZ", "tidak jadi"),
]


EXTRACTION = (ActionExtractSlots, "run")


@contextmanager
def rasas_own() -> Iterator[None]:
    """Rasa as it came."""
    for owner, name in OURS:
        setattr(owner, name, RASAS_OWN[owner, name])
    try:
        yield
    finally:
        for (owner, name), ours in OURS.items():
            setattr(owner, name, ours)


@pytest.fixture(params=TALKS, ids=lambda talk: talk[0])
async def events(request: pytest.FixtureRequest, client: httpx.AsyncClient, services: Services) -> list[Event]:
    """All that a talk has put into the tracker store."""
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*request.param)
    with services.database.session() as session:
        rows = session.scalars(select(TrackerEvent.data).order_by(TrackerEvent.id)).all()
    return [event for row in rows for data in _events_of(row) if (event := Event.from_parameters(data)) is not None]


def states(tracker: DialogueStateTracker, domain: Domain) -> list[Any]:
    rule_only = {"rule_only_slots": [], "rule_only_loops": ["simpel_form"]}
    return [
        tracker.past_states(domain),
        tracker.past_states(domain, ignore_rule_only_turns=True, rule_only_data=rule_only),
        tracker.past_states(domain, omit_unset_slots=True),
    ]


def seen(tracker: DialogueStateTracker) -> dict[str, Any]:
    """All of a tracker that anybody asks for."""
    loop = tracker.active_loop
    return {
        "events": list(tracker.events),
        "slots": {name: (slot.value, slot.has_been_set) for name, slot in tracker.slots.items()},
        "latest": (tracker.latest_message, tracker.latest_action, tracker.latest_bot_utterance),
        "loop": loop and (loop.name, loop.is_interrupted, loop.rejected, loop.trigger_message),
        "paused": tracker.is_paused(),
        "ids": (tracker.sender_id, tracker.model_id, tracker.assistant_id),
    }


async def test_states_are_those_of_rasa_after_each_event(events: list[Event], assistant: Assistant) -> None:
    domain = assistant.domain
    growing, longest = DialogueStateTracker.from_events("somebody", [], domain.slots), 0
    for number, event in enumerate(events, 1):
        growing.update(event)
        ours = states(growing, domain)
        with rasas_own():
            assert ours == states(DialogueStateTracker.from_events("somebody", events[:number], domain.slots), domain)
        assert states(growing, domain) == ours, "asked again"
        longest = max(longest, len(ours[0]))
    assert longest > 5


async def test_predictions_are_those_of_rasa_after_each_event(events: list[Event], assistant: Assistant) -> None:
    processor = assistant._agent.processor
    targets = [processor.model_metadata.core_target]
    for number in range(1, len(events) + 1):
        results = []
        for context in (rasas_own(), nullcontext()):
            with context:
                tracker = DialogueStateTracker.from_events("somebody", events[:number], assistant.domain.slots)
                prediction = processor.graph_runner.run({PLACEHOLDER_TRACKER: tracker}, targets)[targets[0]]
                results.append((prediction.probabilities, prediction.policy_name, prediction.events, prediction.hide_rule_turn))
        assert results[0] == results[1]


async def test_a_copy_of_a_tracker_is_that_of_rasa_and_lives_by_itself(events: list[Event], assistant: Assistant) -> None:
    for number in range(1, len(events) + 1):
        tracker = DialogueStateTracker.from_events("somebody", events[:number], assistant.domain.slots)
        tracker.model_id = "a model"
        ours = tracker.copy()
        with rasas_own():
            assert seen(ours) == seen(tracker.copy())
    before = seen(tracker)
    ours.update(events[0])
    for slot in ours.slots.values():
        slot.value = "another"
    assert seen(tracker) == before


async def test_a_forms_own_tracker_is_that_of_rasa_and_lives_by_itself(events: list[Event], assistant: Assistant) -> None:
    domain, added = assistant.domain, [SlotSet("language", "en"), SlotSet("misses", 2.0)]
    form = FormAction("aspiration_form", None)
    for number in range(1, len(events) + 1):
        tracker = DialogueStateTracker.from_events("somebody", events[:number], domain.slots)
        before = seen(tracker)
        ours = form._temporary_tracker(tracker, added, domain)
        assert seen(tracker) == before
        with rasas_own():
            assert seen(ours) == seen(form._temporary_tracker(tracker, added, domain))


async def test_slots_are_filled_as_by_rasa(assistant: Assistant) -> None:
    domain, processor = assistant.domain, assistant._agent.processor
    action, filled = processor._get_action("action_extract_slots"), set()
    for text in ("halo", "what is SIMPEL and how long does it take?", "berapa lama izin dinas luar negeri diproses?"):
        parsed = assistant.understand(text)
        message = UserUttered(text, parsed["intent"], parsed["entities"], parsed)
        tracker = DialogueStateTracker.from_events("somebody", [message], domain.slots)
        results = [await run(action, None, processor.nlg, tracker, domain) for run in (extract_slots, RASAS_OWN[EXTRACTION])]
        assert results[0] == results[1]
        filled |= {(event.key, event.value) for event in results[0]}
    assert filled == {("language", "en"), ("language", "id")}


def test_a_slot_that_speaks_in_the_dialogue_is_in_the_states() -> None:
    domain = Domain.from_dict(
        {"slots": {"tone": {"type": "categorical", "values": ["soft", "loud"], "mappings": [{"type": "custom"}]}}}
    )

    events = [ActionExecuted("action_listen"), SlotSet("tone", "loud"), ActionExecuted("action_listen")]
    tracker = DialogueStateTracker.from_events("somebody", events, domain.slots)
    ours = states(tracker, domain)
    with rasas_own():
        assert ours == states(DialogueStateTracker.from_events("somebody", events, domain.slots), domain)
    assert ours[0][-1]["slots"] == {"tone": (0.0, 1.0, 0.0)}


def test_what_matched_is_kept_within_bounds() -> None:
    policy = object.__new__(RulePolicy)
    rules = _Rules({'[{"user": {"intent": "greet"}, "prev_action": {"action_name": "action_listen"}}]': "utter_greet"})
    for number in range(KEPT_MATCHES + 5):
        said = {"intent": f"{number}", "text": "what the citizen wrote"}
        assert rules.matching(policy, [{"user": said, "prev_action": {"action_name": "action_listen"}}]) == set()
    assert len(rules._matches) == KEPT_MATCHES
    assert "wrote" not in str(rules._matches)


def test_a_domain_that_is_read_once_is_the_one_that_rasa_reads(tmp_path: Path) -> None:
    storage, resource = LocalModelStorage(tmp_path), Resource("domain_provider")
    DomainProvider(storage, resource)._persist(Domain.load("domain.yml"))
    context = ExecutionContext(GraphSchema({}))
    ours, rasas = (
        load(config={}, model_storage=storage, resource=resource, execution_context=context).provide_inference()
        for load in (load_domain, RASAS_OWN[DomainProvider, "load"].__get__(None, DomainProvider))
    )
    assert ours.as_dict() == rasas.as_dict()
    assert ours.fingerprint() == rasas.fingerprint()


def test_a_copied_slot_is_another_slot_of_the_same_value() -> None:
    slot = TextSlot("place", mappings=[{"type": "custom"}], initial_value="Solo")
    twin = copy(slot)
    twin.value = "Tegal"
    assert (type(twin), slot.value, twin.value) == (TextSlot, "Solo", "Tegal")
