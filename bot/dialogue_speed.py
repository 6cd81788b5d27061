"""Lets Rasa's dialogue core do once in a turn what it does many times over. What it predicts stays the same.

A turn predicts at least twice. For each prediction the policies walk through the session three times, copying every slot on the way,
and compare the last states with all rules; before each action, and twice in a form, the session is replayed into a copy.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cache
from inspect import getattr_static
from types import SimpleNamespace
from typing import Any

import rasa.core.actions.forms
import rasa.core.policies.memoization
import rasa.core.policies.rule_policy
import rasa.core.processor
from rasa.core.actions.action import ActionExtractSlots
from rasa.core.actions.forms import FormAction
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.constants import PREVIOUS_ACTION, REQUESTED_SLOT
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker, TrackerActiveLoop
from rasa.shared.utils.io import read_yaml

ONLY_LOG_COPIES = (rasa.core.actions.forms, rasa.core.policies.memoization, rasa.core.policies.rule_policy, rasa.core.processor)
"""Modules that use the module `copy` for lines of their debug log and for nothing else."""
KEPT_MATCHES = 4096
_WALK = "_sapa_walk"
_RULES = "_sapa_rules"
_FILLED = "_sapa_filled"


def _copy_slot(slot: Slot) -> Slot:
    """What `copy.copy` gives, without its detour."""
    twin = object.__new__(type(slot))
    twin.__dict__.update(slot.__dict__)
    return twin


def copy_tracker(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """A tracker in the same state, by copying the state instead of replaying all events."""
    twin = object.__new__(DialogueStateTracker)
    twin.__dict__.update(tracker.__dict__)
    twin.__dict__.pop(_WALK, None)
    twin.events = tracker.events.copy()
    twin.slots = {name: _copy_slot(slot) for name, slot in tracker.slots.items()}
    twin.active_loop = copy(tracker.active_loop)
    twin.__dict__.update(model_id=None, assistant_id=None)  # as Rasa's copies have them
    return twin


@dataclass(slots=True)
class Moment:
    """What a state is made of, just before an action: the part of a tracker that `Domain.states_for_tracker_history` looks at."""

    latest_message: UserUttered | None
    latest_action: dict[str, str] | None
    latest_action_name: str | None
    followup_action: str | None
    active_loop: TrackerActiveLoop | None
    active_loop_name: str | None
    slots: dict[str, Slot]
    state: State | None = None


def moments(tracker: DialogueStateTracker) -> Iterator[tuple[Moment, bool]]:
    """The moments before each action and the present one, with whether the action is hidden from stories.

    In place of Rasa's `generate_all_prior_trackers`, and walked through once for as long as no event is added.
    """
    known = tracker.__dict__.get(_WALK)
    if known is None or known[0] != len(tracker.events):
        known = tracker.__dict__[_WALK] = (len(tracker.events), list(_walk(tracker)))
    yield from known[1]


def _walk(tracker: DialogueStateTracker) -> Iterator[tuple[Moment, bool]]:
    featurized = {name for name, slot in tracker.slots.items() if slot.influence_conversation}
    slots = [tracker.slots[name] for name in featurized]
    past = DialogueStateTracker(tracker.sender_id, slots, tracker._max_event_history, is_rule_tracker=tracker.is_rule_tracker)
    for event in tracker.applied_events():
        if isinstance(event, ActionExecuted):
            yield _moment(past), event.hide_rule_turn
        if not isinstance(event, SlotSet) or event.key in featurized:
            past.update(event)
    yield _moment(past), False


def _moment(past: DialogueStateTracker) -> Moment:
    return Moment(
        past.latest_message,
        past.latest_action,
        past.latest_action_name,
        past.followup_action,
        copy(past.active_loop),
        past.active_loop_name,
        {name: _copy_slot(slot) for name, slot in past.slots.items()},
    )


def state_of(domain: Domain, tracker: DialogueStateTracker | Moment, omit_unset_slots: bool = False) -> State:
    """As `Domain.get_active_state`; that of a moment is made once. Each caller gets a state of its own to write into."""
    if not isinstance(tracker, Moment) or omit_unset_slots:
        return RASAS_OWN[Domain, "get_active_state"](domain, tracker, omit_unset_slots)
    if tracker.state is None:
        tracker.state = RASAS_OWN[Domain, "get_active_state"](domain, tracker)
    return {kind: dict(features) for kind, features in tracker.state.items()}


async def extract_slots(
    action: ActionExtractSlots, channel: OutputChannel, nlg: NaturalLanguageGenerator, tracker: DialogueStateTracker, domain: Domain
) -> list[Event]:
    """As `ActionExtractSlots.run`, without the slots that nothing but an action of an errand ever sets."""
    filled: Domain | None = domain.__dict__.get(_FILLED)
    if filled is None:
        filled = copy(domain)
        filled.slots = [slot for slot in domain.slots if any(mapping != {"type": "custom"} for mapping in slot.mappings)]
        domain.__dict__[_FILLED] = filled
    events: list[Event] = await RASAS_OWN[ActionExtractSlots, "run"](action, channel, nlg, tracker, filled)
    return events


def temporary_tracker(
    form: FormAction, tracker: DialogueStateTracker, additional_events: list[Event], domain: Domain
) -> DialogueStateTracker:
    """As `FormAction._temporary_tracker`, from where the tracker stands instead of from its first event."""
    twin = copy_tracker(tracker)
    for event in (SlotSet(REQUESTED_SLOT, form.get_slot_to_fill(tracker)), ActionExecuted(form.name()), *additional_events):
        twin.update(event)
    return twin


class _Rules:
    """Which rules match, remembered by those features of the last states that any of the rules names."""

    def __init__(self, lookup: dict[str, str]) -> None:
        rules: list[list[State]] = [json.loads(key) for key in lookup]
        self.lookup = lookup
        self._length = max(map(len, rules), default=0)
        named = {(kind, name) for states in rules for state in states for kind, features in state.items() for name in features}
        self._named = sorted(named | {(PREVIOUS_ACTION, "action_name"), (PREVIOUS_ACTION, "action_text")})
        self._matches: OrderedDict[Any, set[str]] = OrderedDict()

    def matching(self, policy: RulePolicy, states: list[State]) -> set[str]:
        last = states[-self._length :] if self._length else []
        key = tuple(tuple(state.get(kind, {}).get(name) for kind, name in self._named) for state in last)
        found = self._matches.pop(key, None)
        if found is None:
            found = RASAS_OWN[RulePolicy, "_get_possible_keys"](policy, self.lookup, last)
        self._matches[key] = found
        if len(self._matches) > KEPT_MATCHES:
            self._matches.popitem(last=False)
        return found


def matching_rules(policy: RulePolicy, lookup: dict[str, str], states: list[State]) -> set[str]:
    """As `RulePolicy._get_possible_keys`: states further back than the longest rule decide nothing."""
    known: list[_Rules] = policy.__dict__.setdefault(_RULES, [])
    rules = next((rules for rules in known if rules.lookup is lookup), None)
    if rules is None:
        known.append(rules := _Rules(lookup))
    return rules.matching(policy, states)


def load_domain(
    config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext, **_: Any
) -> DomainProvider:
    """As `DomainProvider.load`, which parses the file six times to check what training has checked: five seconds of a start."""
    with model_storage.read_from(resource) as folder:
        text = (folder / "domain.yml").read_text(encoding="utf-8")
    return DomainProvider(model_storage, resource, Domain.from_dict(read_yaml(text)))


OURS: dict[tuple[type, str], Any] = {
    (Slot, "__copy__"): _copy_slot,
    (DialogueStateTracker, "copy"): copy_tracker,
    (DialogueStateTracker, "generate_all_prior_trackers"): moments,
    (Domain, "get_active_state"): state_of,
    (RulePolicy, "_get_possible_keys"): matching_rules,
    (ActionExtractSlots, "run"): extract_slots,
    (FormAction, "_temporary_tracker"): temporary_tracker,
    (DomainProvider, "load"): staticmethod(load_domain),
    (MessageProcessor, "_log_slots"): staticmethod(lambda _tracker: None),  # a line of the debug log, of all slots
    (Event, "resolve_by_type"): staticmethod(cache(Event.resolve_by_type)),  # Rasa walks all classes for each event of an action
}
RASAS_OWN: dict[tuple[type, str], Any] = {(owner, name): getattr_static(owner, name, None) for owner, name in OURS}


def hurry() -> None:
    """From now on, in this process."""
    for (owner, name), ours in OURS.items():
        setattr(owner, name, ours)
    for module in ONLY_LOG_COPIES:
        module.copy = SimpleNamespace(deepcopy=lambda value: value)
