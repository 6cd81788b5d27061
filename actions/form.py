"""The one validation action behind all forms: steers a journey (services/journeys.py) in Rasa's terms.

Values are kept in the encrypted draft; the slots that Rasa's form sees hold a stand-in. Questions, crises and greetings in the
middle are answered, then the open question is asked again.
"""

from __future__ import annotations

import re
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.beside_form import Beside
from actions.complaint import say_right_channel
from actions.open_danger import open_danger, say_first
from actions.replies import confidence_of, intent_of, language_of, remember_said, turn_of
from services.assembly import services
from services.commands import Command, find_command
from services.complaints import CORRUPTION, kind_of
from services.dangers import ABOUT_ONESELF, danger_of
from services.fields import TOO_LONG, Field, Rejection, has_none
from services.follow_ups import After
from services.journeys import CHANGING, CONFIRMATION, KEY, Journey, Outcome, Step
from services.open_dangers import SLOT as OPEN_DANGER
from services.read_back import wants_summary
from services.registry import COMPLAINT, ERRANDS, OPENED_BY
from services.remarks import SURE, VERY_SURE, turned_to
from services.turn import CURRENT, AnswerStatus, Turn
from services.value_words import shown
from store.database import utc_now
from store.offered import offered_to

Events = list[dict[str, Any]]
TAKEN = "terisi"
REJECTIONS_BEFORE_OFFICER = 3
CANCEL_WORDS = (3, 8)
"""How many words a wish to cancel has: fewer may be a name ("Batal Sirait") or are a command, more tell something."""
LEFT_AFTER = timedelta(hours=12)
OFFERED_TO = {"ask_information", "report_complaint", "out_of_scope"}
"""What a message meant that is worth keeping for the form; a call for a person is no story."""
_MASKED = re.compile(r"\[[^\]]*\]")
STORIES = {"report_complaint", "submit_aspiration", "submit_information_request", "submit_objection"}


@dataclass(frozen=True)
class Open:
    """The open question of a form, and the message that came to it."""

    journey: Journey
    dispatcher: CollectingDispatcher
    tracker: Tracker
    fields: dict[str, Any]
    asked: Field
    asked_at: datetime | None
    """When the draft was last written; None without one."""

    @cached_property
    def turn(self) -> Turn:
        return turn_of(self.tracker)

    @cached_property
    def command(self) -> Command | None:
        return find_command(self.turn.text)

    @cached_property
    def corrects(self) -> bool:
        return bool(self.journey.corrections(self.asked, self.turn.text, self.fields))

    def is_value(self) -> bool:
        """Whether the message is a valid value by its form; never where any sentence could be one."""
        return not self.asked.takes_sentences and self.asked.accepts(self.turn.text)

    def holds_value(self) -> bool:
        return bool(self.journey.prefill(self.turn.text)) or self.asked.accepts(self.turn.text)


class ValidateForm(Action, ABC):
    @property
    @abstractmethod
    def journey(self) -> Journey:
        """The errand that the form is for."""

    def name(self) -> str:
        return f"validate_{self.journey.name}_form"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        turn_of(tracker).status = AnswerStatus.IN_FORM
        draft = services().drafts.kept(tracker.sender_id, self.journey.name)
        if tracker.get_slot("requested_slot") is None:
            return self._begin(dispatcher, tracker, draft.fields if draft else {})
        fields = (draft and draft.fields) or {KEY: secrets.token_hex(16)}
        at = Open(self.journey, dispatcher, tracker, fields, self._asked(tracker, fields), draft.written_at if draft else None)
        readings = (
            self._danger,
            self._left_long,
            self._second_thought,
            self._errand,
            self._way_out,
            self._wish,
            self._lost,
            self._story,
            self._beside,
        )
        heard = next((events for reading in readings if (events := reading(at)) is not None), None)
        return self._take(at, at.turn.text) if heard is None else heard

    # Each of these is one way to read the message. None where it is to be read in the next way; after the last one it is the answer.

    def _danger(self, at: Open) -> Events | None:
        """A danger, and no plain answer to a question with few answers ("yg terakhir")."""
        danger = danger_of(at.turn.text)
        if intent_of(at.tracker) != "crisis" or (danger is None and at.is_value()):
            return None
        at.turn.status = AnswerStatus.CRISIS
        opened = say_first(at.dispatcher, at.tracker, danger, f"{self.journey.name}_{at.asked.name}")
        if self.journey.opened_by and self._keep(at):
            at.dispatcher.utter_message(response="utter_form_kept", opened_by=self.journey.opened_by)
        return [*opened, *self.end(confirmed=False)]

    def _left_long(self, at: Open) -> Events | None:
        """Left so long, the message may well not be meant for the form, unless nothing else has the shape of that value."""
        is_long = at.asked_at is not None and utc_now() - at.asked_at > LEFT_AFTER
        if not is_long or at.command or at.is_value():
            return None
        at.dispatcher.utter_message(response="utter_form_left")
        return self._after(at.dispatcher, at.tracker, Step(Outcome.ASK, at.fields, at.asked))

    def _second_thought(self, at: Open) -> Events | None:
        changed_mind = self.journey.second_thought(at.asked, at.turn.text, at.fields)
        return self._take(at, changed_mind) if changed_mind else None

    def _errand(self, at: Open) -> Events | None:
        errand = self._other_errand(at)
        return self._leave_for(at, errand, {} if at.command is Command.CANCEL else at.fields) if errand else None

    def _way_out(self, at: Open) -> Events | None:
        """A wish to cancel in words of one's own. In free text it may be the value ("batalkan kenaikan pajak")."""
        sure = intent_of(at.tracker) == "cancel" and confidence_of(at.tracker) >= VERY_SURE
        is_short = CANCEL_WORDS[0] <= len(at.turn.text.split()) <= CANCEL_WORDS[1]
        if not sure or not is_short or at.asked.free_text or at.is_value():
            return None
        return self._after(at.dispatcher, at.tracker, self.journey.cancel())

    def _wish(self, at: Open) -> Events | None:
        """Time to think, or what was given so far."""
        if at.command is Command.WAIT:
            at.dispatcher.utter_message(response="utter_take_your_time")
            return self._ask_on(at)
        if at.command is None and wants_summary(at.turn.text):
            return self._after(at.dispatcher, at.tracker, Step(Outcome.ASK, at.fields, at.asked))
        return None

    def _lost(self, at: Open) -> Events | None:
        """What is asked for was lost or never given."""
        if not at.asked.lost or at.command not in (None, Command.SKIP) or not has_none(at.turn.text) or at.holds_value():
            return None
        at.dispatcher.utter_message(response=at.asked.lost)
        return self._ask_on(at)

    def _story(self, at: Open) -> Events | None:
        """What the errand is about, told before it was asked for; a report of corruption is not for a form."""
        if intent_of(at.tracker) not in STORIES or at.corrects:
            return None
        complaint = kind_of(at.turn.text)
        if complaint and complaint.name == CORRUPTION:
            return None
        told = self.journey.told_early(at.asked, at.turn.text, at.fields)
        if not told:
            return None
        at.dispatcher.utter_message(response="utter_taken_as_story")
        return self._after(at.dispatcher, at.tracker, self.journey.take_told(at.asked, at.turn.text, at.fields, told))

    def _beside(self, at: Open) -> Events | None:
        """A question, a greeting and whatever else comes beside the answer, with or without one."""
        if at.command or at.corrects:
            return None
        beside = Beside(self.journey, at.dispatcher, at.tracker, at.asked)
        alone = None if at.turn.is_command else beside.answer_alone()
        if alone:
            return self._take(at, alone)
        interruption = self.interruption(beside)
        return None if interruption is None else [*interruption, *self._ask_on(at)]

    def _take(self, at: Open, message: str) -> Events:
        """Take an answer, and say so where it changes an earlier one."""
        step = self.journey.take(at.asked, message, at.fields)
        if step.outcome in (Outcome.ASK, Outcome.CONFIRMED) and self.journey.changed(at.asked, at.fields, step.fields):
            at.dispatcher.utter_message(response="utter_field_changed")
        return self._after(at.dispatcher, at.tracker, step)

    def _begin(self, dispatcher: CollectingDispatcher, tracker: Tracker, draft: dict[str, Any]) -> Events:
        """Go on with a draft that was left, or start with what the first message holds."""
        refusal = self.refuse(tracker)
        if refusal:
            turn_of(tracker).status = AnswerStatus.ASKED_AGAIN
            dispatcher.utter_message(response=refusal)
            return self.end(confirmed=False)
        left = self._left_at(tracker)
        if left:
            step = self.journey.take(left, turn_of(tracker).text, {KEY: secrets.token_hex(16), **draft})
            return [*self._after(dispatcher, tracker, step), SlotSet(OPEN_DANGER, None)]
        if self.journey.has_answers(draft):
            step = self.journey.resume(turn_of(tracker).text, draft)
            if step.outcome is Outcome.ASK:
                dispatcher.utter_message(response=self.journey.resumed)
            return self._after(dispatcher, tracker, step)
        if self.journey.basis:
            dispatcher.utter_message(response=self.journey.basis)
        before = self._offered_to(tracker) if self.journey.told_before else ""
        step = self.journey.begin(turn_of(tracker).text, {KEY: secrets.token_hex(16)}, before)
        story = self.journey.field_named(self.journey.story or "")
        if story and story.name in step.fields:
            is_of_now = story.name in self.journey.opening(turn_of(tracker).text)
            dispatcher.utter_message(response="utter_taken_as_story" if is_of_now else "utter_taken_from_before")
        elif story and story.check(turn_of(tracker).text) is TOO_LONG:
            dispatcher.utter_message(response="utter_text_too_long")
        elif self.journey.confirm and not story and self.journey.has_answers(step.fields) and step.outcome is Outcome.ASK:
            dispatcher.utter_message(response="utter_taken_in_part")
        return self._after(dispatcher, tracker, step)

    def _offered_to(self, tracker: Tracker) -> str:
        """What was asked or told in the message before, where this form was offered under the answer to it."""
        message = offered_to(services().database, tracker.sender_id, f"/{self.journey.opened_by}")
        return message.text if message and message.intent in OFFERED_TO and not _MASKED.fullmatch(message.text) else ""

    def _left_at(self, tracker: Tracker) -> Field | None:
        """The question at which a danger was heard, where the message is an answer to that after all."""
        danger = open_danger(tracker) if turn_of(tracker).denies else None
        journey, _, name = ((danger and danger.asked) or "").partition("_")
        return self.journey.field_named(name) if journey == self.journey.name else None

    def _keep(self, at: Open) -> bool:
        """Whether anything was given to come back to: where the story was asked for also this message."""
        text, fields = at.turn.text, at.fields
        is_story = at.asked.name == self.journey.story and not at.turn.shortened and danger_of(text) not in ABOUT_ONESELF
        value = at.asked.check(text) if is_story else Rejection("")
        if not isinstance(value, Rejection):
            fields = {**fields, at.asked.name: value}
            services().drafts.write(at.tracker.sender_id, self.journey.name, fields)
        return self.journey.has_answers(fields)

    def _other_errand(self, at: Open) -> str | None:
        """The intent of the errand that the message turns to: by a button, or in words where the form only looks something up."""
        intent = intent_of(at.tracker)
        if intent not in ERRANDS or intent == self.journey.opened_by:
            return None
        if at.turn.is_command or (at.command is Command.CANCEL and turned_to(at.turn.text)):
            return intent
        may_leave = not self.journey.confirm and not at.asked.takes_sentences and confidence_of(at.tracker) >= SURE
        return intent if may_leave and at.command is None and not at.holds_value() else None

    def _leave_for(self, at: Open, errand: str, fields: dict[str, Any]) -> Events:
        """Do the other errand. `fields`: what was given, which stays in the draft; empty where it was called off."""
        if not fields:
            services().drafts.drop(at.tracker.sender_id, self.journey.name)
        elif self.journey.opened_by and self.journey.has_answers(fields):
            at.dispatcher.utter_message(response="utter_form_kept", opened_by=self.journey.opened_by)
        left = [*self.end(confirmed=False), SlotSet("journey_outcome", None)]
        if errand == COMPLAINT:  # said at once: no rule says what comes after an action behind a form
            return [*left, *say_right_channel(at.dispatcher, at.tracker)]
        return [*left, FollowupAction(f"{OPENED_BY[errand].name}_form")]

    def _ask_on(self, at: Open) -> Events:
        """The open question again and nothing else."""
        services().drafts.write(at.tracker.sender_id, self.journey.name, at.fields)
        return [*self._slots(at.fields), SlotSet("requested_slot", f"{self.journey.name}_{at.asked.name}")]

    def _asked(self, tracker: Tracker, fields: dict[str, Any]) -> Field:
        requested = str(tracker.get_slot("requested_slot") or "").removeprefix(f"{self.journey.name}_")
        asked = self.journey.field_named(requested) or self.journey.next_field(fields)
        return asked or CONFIRMATION

    def interruption(self, beside: Beside) -> Events | None:
        """Answer what is not an answer to the open question. None where the message should be taken as a value."""
        return beside.answered()

    def refuse(self, tracker: Tracker) -> str | None:
        """The sentence that is said instead of opening the form, where the first message shows that it is not the right one."""
        return None

    def look_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> dict[str, Any]:
        """What the services know about the fields so far, as further fields; says what the citizen should see of it."""
        return fields

    def before_asking(self, dispatcher: CollectingDispatcher, tracker: Tracker, step: Step) -> None:
        """What is said before the question of `step.field`."""

    def _after(self, dispatcher: CollectingDispatcher, tracker: Tracker, step: Step) -> Events:
        if step.outcome is Outcome.ASK:
            known = self.look_up(dispatcher, tracker, step.fields)
            if known != step.fields:
                step = self.journey.onwards(known)
        if step.outcome in (Outcome.CANCELLED, Outcome.STOPPED):
            services().drafts.drop(tracker.sender_id, self.journey.name)
            dispatcher.utter_message(response=step.response)
            called_off = self.journey.opened_by if step.outcome is Outcome.CANCELLED and self.journey.confirm else None
            said = remember_said(After.CANCELLED, called_off) if called_off else SlotSet("last_said", None)
            return [said, *self.end(confirmed=False)]
        services().drafts.write(tracker.sender_id, self.journey.name, step.fields)
        if step.outcome is Outcome.CONFIRMED:
            return self.end(confirmed=True)
        assert step.field is not None
        events = self._count_misses(dispatcher, tracker, step)
        self.before_asking(dispatcher, tracker, step)
        self._say_summary(dispatcher, tracker, step)
        topic = SlotSet("last_topic", self.journey.topics[0])
        said = [remember_said(After.ENTRY, self.journey.topics[0])] if self.journey.opened_by else []
        return [*self._slots(step.fields), topic, *said, *events, SlotSet("requested_slot", f"{self.journey.name}_{step.field.name}")]

    def _count_misses(self, dispatcher: CollectingDispatcher, tracker: Tracker, step: Step) -> Events:
        if step.outcome is not Outcome.REJECTED:
            return [SlotSet("misses", 0)]
        misses = int(tracker.get_slot("misses") or 0) + 1
        dispatcher.utter_message(response=step.response)
        if misses >= REJECTIONS_BEFORE_OFFICER:
            dispatcher.utter_message(response="utter_offer_officer_in_form")
        return [SlotSet("misses", misses)]

    def _say_summary(self, dispatcher: CollectingDispatcher, tracker: Tracker, step: Step) -> None:
        if step.field is not CONFIRMATION or step.outcome is not Outcome.ASK or step.fields.get(CHANGING):
            return
        turn, language, empty = turn_of(tracker), language_of(tracker), "–"
        values = {
            f"{self.journey.name}_{field.name}": turn.hide(
                field.label or field.name, self._shown(field, step.fields.get(field.name), language) or empty
            )
            for field in self.journey.numbered
        }
        dispatcher.utter_message(response=f"utter_{self.journey.name}_summary", **values)

    @staticmethod
    def _shown(field: Field, value: Any, language: str) -> str:
        return str(value or "") if field.free_text else shown(value, language)

    def _slots(self, fields: dict[str, Any]) -> Events:
        names = [field.name for field in self.journey.all_fields]
        taken = [SlotSet(f"{self.journey.name}_{name}", TAKEN if name in fields else None) for name in names]
        return [*taken, SlotSet("changing", bool(fields.get(CHANGING)))]

    def end(self, *, confirmed: bool) -> Events:
        outcome = "confirmed" if confirmed else "cancelled"
        return [*self._slots({}), SlotSet("misses", 0), SlotSet("journey_outcome", outcome), SlotSet("requested_slot", None)]


class NotMatched(Exception):
    """The errand found nothing for these fields: `response` says so, and `kept` stays for another try."""

    def __init__(self, response: str, kept: dict[str, Any]) -> None:
        super().__init__(response)
        self.response, self.kept = response, kept


class FinishForm(Action, ABC):
    """Runs after the form has ended; does the errand where it was confirmed."""

    @property
    @abstractmethod
    def journey(self) -> Journey:
        """The errand that the form is for."""

    def name(self) -> str:
        return f"action_finish_{self.journey.name}"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        if tracker.get_slot("journey_outcome") != "confirmed":
            return []
        fields = services().drafts.read(tracker.sender_id, self.journey.name)
        events: Events = []
        if fields:
            events = self._finish(dispatcher, tracker, fields)
        turn_of(tracker).status = AnswerStatus.ANSWERED
        return [SlotSet("journey_outcome", None), *events]

    def _finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        try:
            events = self.finish(dispatcher, tracker, fields) or []
        except NotMatched as not_matched:
            dispatcher.utter_message(response=not_matched.response)
            services().drafts.write(tracker.sender_id, self.journey.name, not_matched.kept)
            return []
        turn = CURRENT.get()
        if turn:
            turn.finished.append(self.journey.name)
        else:  # `rasa shell`, where nobody stores an answer
            services().drafts.drop(tracker.sender_id, self.journey.name)
        return events

    @abstractmethod
    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events | None:
        """Do the errand with the confirmed fields and say what came of it; events are what the dialogue is to remember of it.

        May raise `NotMatched`.
        """
