"""Rasa's agent as a library: understands a message, answers it, and says single sentences of domain.yml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.policies.policy import PolicyPrediction
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot.action_endpoint import load_actions
from bot.dialogue_speed import hurry
from bot.graph_runner import DirectRunner
from bot.model_files import VERSION, model_file
from bot.nlu.follow_ups import AFTER, FOLLOW_UP
from bot.nlu.intents import FAVOURITES
from services.clarification import LEAST_PROBABLE
from services.follow_ups import LastSaid
from services.open_dangers import SLOT as OPEN_DANGER
from services.open_dangers import OpenDanger
from store.database import Database, utc_now
from store.tracker import KEPT_TRACKERS, NewEvents, SapaTrackerStore


class ModelMissing(Exception):
    """There is no trained model; `sapa train` makes one."""


@dataclass(frozen=True)
class Said:
    """One bubble of the bot, before it is stored. `buttons` are (label, payload)."""

    text: str
    buttons: list[tuple[str, str]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    said: list[Said]
    language: str
    awaited_field: str | None
    """The slot that an open form asks for now."""
    events: NewEvents
    """What the turn adds to the tracker, to be stored with the replies; then `Assistant.keep` is told."""


class _Collector(OutputChannel):
    def __init__(self) -> None:
        self.said: list[Said] = []

    @classmethod
    def name(cls) -> str:
        return "sapa"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self.said.append(_said(message))


def _said(message: dict[str, Any]) -> Said:
    custom = message.get("custom") or {}
    buttons = [(button["title"], button["payload"]) for button in message.get("buttons") or []]
    return Said(message.get("text") or "", buttons, custom.get("sources", []))


def _copy_parsed(parsed: dict[str, Any]) -> dict[str, Any]:
    """A copy for Rasa to write into; the one at hand may be an answer that is kept for the same message.

    What staff need stays out, and so do intents that no action would offer: the rows of trackers are a seventh smaller without them.
    """
    kept = {name: value for name, value in parsed.items() if name not in (FAVOURITES, FOLLOW_UP)}
    likely = [dict(one) for one in parsed.get("intent_ranking", []) if one["confidence"] >= LEAST_PROBABLE]
    entities = [dict(one) for one in parsed.get("entities", [])]
    return {**kept, "intent": dict(parsed["intent"]), "entities": entities, "intent_ranking": likely}


class Assistant:
    def __init__(self, models: Path, database: Database, action_seconds: float, version: str | None = None) -> None:
        """Load the model of this version from the folder; None: the newest. Raises `ModelMissing`."""
        file = model_file(models, version)
        if file is None:
            raise ModelMissing(f"no model {version or ''} in {models}; run `sapa train`".replace("  ", " "))
        self._actions = load_actions("actions", action_seconds)
        hurry()
        self._database = database
        self._kept_trackers = KEPT_TRACKERS
        self.take_over(file.path)

    def take_over(self, path: Path) -> None:
        """Serve the model of this file from the next turn on. Blocks while it is loaded; a turn that has begun ends with the old."""
        agent = Agent.load(str(path), action_endpoint=self._actions)
        agent.processor.graph_runner = DirectRunner.in_place_of(agent.processor.graph_runner)
        # Rasa wraps a store so that its errors are swallowed and the turn is lost in memory; ours may be seen to fail.
        agent.tracker_store = agent.processor.tracker_store = SapaTrackerStore(agent.domain, self._database)
        agent.tracker_store.most_kept = self._kept_trackers
        found = VERSION.fullmatch(path.name)
        self._agent, self.path, self.version = agent, path, found[1] if found else path.name

    @property
    def domain(self) -> Domain:
        domain: Domain = self._agent.domain
        return domain

    @property
    def tracker_store(self) -> SapaTrackerStore:
        store: SapaTrackerStore = self._agent.processor.tracker_store
        return store

    def keep_trackers(self, number: int) -> None:
        """Of so many conversations, the last ones, the tracker stays in memory."""
        self._kept_trackers = self.tracker_store.most_kept = number

    def use_database(self, database: Database) -> SapaTrackerStore | None:
        """Keep trackers in `database` from now on; returns the store used before."""
        self._database = database
        return self.use_store(SapaTrackerStore(self.domain, database))

    def use_store(self, store: SapaTrackerStore | None) -> SapaTrackerStore | None:
        before = self._agent.processor.tracker_store
        self._agent.tracker_store = self._agent.processor.tracker_store = store
        return before if isinstance(before, SapaTrackerStore) else None

    def understand(self, text: str, last: LastSaid | None = None) -> dict[str, Any]:
        """Intent, ranking and entities of a message, and what it means after `last`.

        Blocks for the time of one encoding; call it from a thread.
        """
        tracker = DialogueStateTracker.from_events("nobody", [])
        message = UserMessage(text, metadata={AFTER: last.after.value} if last else None)
        parsed = self._agent.processor._parse_message_with_graph(message, tracker)
        return dict(parsed)

    async def respond(
        self,
        conversation_id: str,
        text: str,
        parsed: dict[str, Any],
        action: str | None = None,
        tracker_row: int | None = None,
        slots: dict[str, Any] | None = None,
    ) -> Answer:
        """One turn of the dialogue, with `text` as the tracker may keep it. Nothing is stored.

        `tracker_row`, the newest row of the tracker store where the caller has just looked, saves looking again.
        With `action` that action alone answers; an open form stays where it is, its question open. `slots` have these values before.
        """
        collector = _Collector()
        message = UserMessage(text, collector, conversation_id, parse_data={**_copy_parsed(parsed), "text": text})
        processor = self._agent.processor  # of one model to the end of the turn
        store: SapaTrackerStore = processor.tracker_store
        if tracker_row is not None:
            store.expect(conversation_id, tracker_row)
        tracker = await processor.log_message(message, should_save_tracker=False)
        tracker = await processor.run_action_extract_slots(collector, tracker)
        for name, value in (slots or {}).items():
            tracker.update(SlotSet(name, value), processor.domain)
        if action:
            prediction = PolicyPrediction.for_action_name(processor.domain, action)
            await processor._run_action(processor._get_action(action), tracker, collector, processor.nlg, prediction)
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME), processor.domain)
        else:
            await processor._run_prediction_loop(collector, tracker)
        awaited = tracker.get_slot("requested_slot") if tracker.active_loop_name else None
        language = tracker.get_slot("language") or "id"
        return Answer(collector.said, language, awaited, store.new_events(tracker))

    def keep(self, events: NewEvents, row_id: int) -> None:
        """Be told that a turn's events are stored."""
        events.store.keep(events, row_id)

    def forget(self, conversation_id: str) -> None:
        """Drop from memory what is known of a conversation that is deleted."""
        self.tracker_store.drop_kept(conversation_id)

    async def set_language(self, conversation_id: str, language: str) -> None:
        """Answer in this language from now on, as long as the citizen writes in no other."""
        processor = self._agent.processor
        tracker = await processor.fetch_tracker_and_update_session(conversation_id, _Collector())
        tracker.update(SlotSet("language", language), processor.domain)
        await processor.save_tracker(tracker)

    async def said_before(self, conversation_id: str, tracker_row: int) -> tuple[LastSaid | None, OpenDanger | None]:
        """What a message of this conversation may lean on: what was said last, and a danger that is open.

        `tracker_row`: the newest row of the tracker store, as the caller has just seen it.
        """
        tracker = await self.tracker_store.peek(conversation_id, tracker_row)
        if tracker is None:
            return None, None
        last = LastSaid.read(tracker.get_slot("last_said"))
        return last, OpenDanger.read(tracker.get_slot(OPEN_DANGER), last, utc_now())

    async def opened_ticket(self, conversation_id: str) -> dict[str, str] | None:
        """The slot of actions/opened_ticket.py in this conversation."""
        tracker = await self.tracker_store.peek(conversation_id)
        return tracker.get_slot("opened_ticket") if tracker else None

    async def language(self, conversation_id: str) -> str | None:
        """The language that the conversation is answered in; None before its first turn."""
        tracker = await self.tracker_store.peek(conversation_id)
        return tracker.get_slot("language") if tracker else None

    async def sentence(self, response: str, language: str, **values: Any) -> Said:
        """A sentence of domain.yml outside a turn. Raises KeyError where there is none."""
        agent = self._agent
        tracker = DialogueStateTracker.from_events("nobody", [SlotSet("language", language)], agent.domain.slots)
        message = await agent.nlg.generate(response, tracker, "sapa", **values)
        if message is None:
            raise KeyError(response)
        return _said(message)
