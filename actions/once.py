"""Says an entry of the knowledge, but not twice in a row: then only what of it comes near to the question."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import language_of, last_said, remember_answered, tell_turn, turn_of, utter_entry
from services.assembly import services
from services.follow_ups import STATUS_ENTRY, After, LastSaid
from services.knowledge_files import Entry
from services.passages import Passage, line_of_status
from services.remarks import wants_again
from services.spelling import normalise

NOT_KNOWN = ("utter_part_not_known", "utter_part_not_known_again")
"""Said in turns."""
LONGEST_LEANING = 10
"""In words."""
_ASKS_FOR_OTHERS = re.compile(r"\b(?:semua\w*|apa saja|daftar|lainnya|lain|macam\w*|all|others?|every|list)\b")


def answer_once(dispatcher: CollectingDispatcher, tracker: Tracker, entry: Entry, *, leans: bool = True) -> list[dict[str, Any]]:
    """Answer with `entry`; the events that remember it. `leans`: the question does, on what was said before.

    One that stands for itself, or is long, gets the whole answer again where nothing of it comes near: it may ask about another case.
    """
    last, language, spelling = last_said(tracker), language_of(tracker), normalise(turn_of(tracker).text)
    if last and last.after is After.STATUS and entry.id == STATUS_ENTRY and not _ASKS_FOR_OTHERS.search(spelling):
        line = None if last.parts else line_of_status(entry.answers[language], last.about)
        if line:
            tell_turn(tracker, entry, known=entry.facts.known)
            dispatcher.utter_message(text=line.text, json_message={"sources": [entry.source_named()]})
            return remember_answered(entry, replace(last, parts=(str(line.place),)))
        if last.parts:
            return _answer_in_part(dispatcher, tracker, entry, last)
    elif (
        last
        and last.has_said(entry.id, language)
        and not (wants_again(turn_of(tracker).text) or _asks_the_same(tracker))
        and ((leans and len(spelling.split()) <= LONGEST_LEANING) or _near(tracker, entry, last))
    ):
        return _answer_in_part(dispatcher, tracker, entry, last)
    utter_entry(dispatcher, tracker, entry)
    return remember_answered(entry, LastSaid(After.ENTRY, entry.id, language))


def _asks_the_same(tracker: Tracker) -> bool:
    """Whether the message is the one before once more, word for word."""
    texts = [normalise(event.get("text") or "").strip(" ?!.") for event in tracker.events if event.get("event") == "user"]
    return len(texts) > 1 and texts[-1] == texts[-2]


def answer_not_known(dispatcher: CollectingDispatcher, tracker: Tracker, entry: Entry, last: LastSaid) -> list[dict[str, Any]]:
    """Say that what is asked beyond the answer by `entry` is not known; the events that remember it."""
    tell_turn(tracker, entry, known=False)
    response = NOT_KNOWN[last.parts[-1:] == NOT_KNOWN[:1]]
    dispatcher.utter_message(response=response, json_message={"sources": [entry.source_named()]})
    return remember_answered(entry, replace(last, parts=(*_said(last), response)))


def _answer_in_part(dispatcher: CollectingDispatcher, tracker: Tracker, entry: Entry, last: LastSaid) -> list[dict[str, Any]]:
    found = _near(tracker, entry, last)
    if not found:
        return answer_not_known(dispatcher, tracker, entry, last)
    tell_turn(tracker, entry, known=entry.facts.known)
    response, said = "utter_answer_says_too" if _said(last) else "utter_answer_says", "\n\n".join(one.text for one in found)
    dispatcher.utter_message(response=response, said=said, json_message={"sources": [entry.source_named()]})
    return remember_answered(entry, replace(last, parts=(*_said(last), *(str(one.place) for one in found))))


def _near(tracker: Tracker, entry: Entry, last: LastSaid) -> list[Passage]:
    """The parts of its answer that come near to the question and were not said alone before."""
    places = frozenset(int(part) for part in last.parts if part.isdigit())
    return services().knowledge.passages(turn_of(tracker).text, entry.answers[language_of(tracker)], places)


def _said(last: LastSaid) -> tuple[str, ...]:
    return tuple(part for part in last.parts if part not in NOT_KNOWN)
