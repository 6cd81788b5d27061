"""Says which channel is the right one for a complaint, and what its citizen has to know besides."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.once import answer_not_known, answer_once
from actions.replies import language_of, last_said, remember_answered, tell_turn, turn_of
from services.assembly import services
from services.complaints import CORRUPTION, ComplaintKind
from services.follow_ups import After, LastSaid
from services.knowledge_files import Entry

SAME_CHANNEL = "utter_complaint_same_channel"
"""For who goes on telling of what was answered."""


def entry_said(tracker: Tracker) -> Entry | None:
    """The entry that the assistant said last, where nothing else was said since."""
    last = last_said(tracker)
    return services().knowledge.entry(last.about) if last and last.after is After.ENTRY else None


def say_complaint(dispatcher: CollectingDispatcher, tracker: Tracker, kind: ComplaintKind, entry: Entry) -> list[dict[str, Any]]:
    """Name the channel of this kind, or answer what the message tells of it; nothing twice in a row."""
    last, language = last_said(tracker), language_of(tracker)
    before = last if last and last.after is After.ENTRY and last.about == entry.id else LastSaid(After.ENTRY, entry.id)
    told = kind.told_in(turn_of(tracker).text)
    meant = told or ([kind.response] if kind.response else [])
    responses = [name for name in meant if name not in before.parts]
    if told and not responses:
        return answer_not_known(dispatcher, tracker, entry, before)
    if before.has_said(entry.id, language) and not responses and SAME_CHANNEL not in before.parts:
        responses = [SAME_CHANNEL]
    if not responses:
        if kind.name == CORRUPTION and not before.has_said(entry.id, language):
            dispatcher.utter_message(response="utter_complaint_not_collected")
        return answer_once(dispatcher, tracker, entry, leans=False)
    for name in responses:
        sources = {"sources": [entry.source_named()]} if name == responses[-1] else None
        dispatcher.utter_message(response=name, json_message=sources)
    tell_turn(tracker, entry, known=True)
    whole = language if told else before.language
    return remember_answered(entry, LastSaid(After.ENTRY, entry.id, whole, (*before.parts, *responses)))
