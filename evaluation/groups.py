"""The two groups of labelled files, and what is measured on each through the code that serves citizens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.assistant import Assistant
from bot.evaluation import is_answered, measure_out_of_scope, read_rows, whole_turns
from bot.nlu.intents import FALLBACK
from evaluation import follow_ups
from evaluation.measures import (
    by_value,
    calibration_error,
    confusion,
    macro_f1,
    operating_points,
    reliability,
    share,
    small_share,
)
from services.knowledge import Knowledge, Verdict
from services.knowledge_files import Entry

FOLDER = Path(__file__).parent
OUTSIDE = "out_of_scope"
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Group:
    """The files of one folder."""

    folder: Path

    @property
    def intents(self) -> Rows:
        return read_rows(self.folder / "intents.csv", ("text", "intent", "register", "author"))

    @property
    def topics(self) -> Rows:
        return read_rows(self.folder / "topics.csv", ("text", "topic", "author"))

    @property
    def entries(self) -> Rows:
        """Questions to each entry of the knowledge, by authors who had read its title and answer."""
        return read_rows(self.folder / "entries.csv", ("text", "entry", "author"))

    @property
    def out_of_scope(self) -> Rows:
        return read_rows(self.folder / "out_of_scope.csv", ("text", "author"))

    @property
    def not_crisis(self) -> Rows:
        """Messages with the words of an emergency that speak of none."""
        return read_rows(self.folder / "not_crisis.csv", ("text", "author"))

    @property
    def unanswerable(self) -> Rows:
        """Questions about the ministry that no entry answers, and beside some of them one like it that `entry` does answer."""
        return read_rows(self.folder / "unanswerable.csv", ("text", "answerable", "entry", "author"))

    @property
    def follow_ups(self) -> Rows:
        """Messages after something that the assistant has said."""
        return read_rows(self.folder / "follow_ups.csv", follow_ups.COLUMNS)


GROUPS = {"development": Group(FOLDER), "held_out": Group(FOLDER / "held_out")}
"""In the order of the report's columns. README.md says what may be done with which."""


@dataclass(frozen=True)
class Understood:
    """A message as it was understood: the intent that is acted on, and the best one before abstention with its probability."""

    intent: str
    best: str
    probability: float

    @property
    def kept(self) -> float:
        """The probability of the best intent, 0 where that is the one for what is out of scope."""
        return 0.0 if self.best == OUTSIDE else self.probability


def understand(assistant: Assistant, text: str) -> Understood:
    parsed = assistant.understand(text)
    name, ranking = parsed["intent"]["name"], parsed["intent_ranking"]
    best = next(one for one in ranking if one["name"] != FALLBACK)
    return Understood(name, best["name"], best["confidence"])


def measure(group: Group, assistant: Assistant, knowledge: Knowledge) -> dict[str, Any]:
    """What the report says about a group, in numbers; no text of a message is among them."""
    rows = group.intents
    said = [understand(assistant, row["text"]) for row in rows]
    strangers = group.out_of_scope
    outside = [understand(assistant, row["text"]) for row in strangers]
    calm = [understand(assistant, row["text"]) for row in group.not_crisis]
    answered = {turn["text"] for turn in measure_out_of_scope(assistant, group.folder / "out_of_scope.csv")["errors"]}
    declined = np.array([row["text"] not in answered for row in strangers])
    inside = [u for u, row in zip(said, rows, strict=True) if row["intent"] != OUTSIDE]
    return {
        "intents": _intents(rows, said),
        "rejected": share(np.array([u.intent in {OUTSIDE, FALLBACK} for u in inside])),
        "out_of_scope": {
            "turns_not_answered": share(declined),
            "by_author": by_value(declined, [row["author"] for row in strangers]),
            "by_intent": share(np.array([u.intent in {OUTSIDE, FALLBACK} for u in outside])),
        },
        "operating_points": operating_points(np.array([u.kept for u in inside]), np.array([u.kept for u in outside])),
        "crisis": _crisis(rows, said, outside, calm),
        "topics": _found(group.topics, knowledge, "topic", lambda entry: entry.topic),
        "entries": _found(group.entries, knowledge, "entry", lambda entry: entry.id),
        "unanswerable": _unanswerable(group.unanswerable, assistant),
        "follow_ups": _follow_ups(follow_ups.measure(assistant, group.follow_ups)),
    }


def _intents(rows: Rows, said: list[Understood]) -> dict[str, Any]:
    truth, predicted = [row["intent"] for row in rows], [u.intent for u in said]
    right = np.array([t == p for t, p in zip(truth, predicted, strict=True)])
    best_right = np.array([u.best == t for u, t in zip(said, truth, strict=True)])
    bins = reliability(np.array([u.probability for u in said]), best_right)
    return {
        "accuracy": share(right),
        "macro_f1": macro_f1(truth, predicted),
        "calibration_error": calibration_error(bins),
        "reliability": bins,
        "by_register": by_value(right, [row["register"] for row in rows]),
        "by_author": by_value(right, [row["author"] for row in rows]),
        "by_intent": by_value(right, truth),
        "confusion": confusion(truth, predicted),
    }


def _crisis(rows: Rows, said: list[Understood], outside: list[Understood], calm: list[Understood]) -> dict[str, Any]:
    alarm = np.array([u.intent == "crisis" for u in said])
    meant = np.array([row["intent"] == "crisis" for row in rows])
    alarms = {
        "out_of_scope.csv": [u.intent == "crisis" for u in outside],
        "not_crisis.csv": [u.intent == "crisis" for u in calm],
        "intents.csv, other intents": alarm[~meant].tolist(),
    }
    return {
        "recall": small_share(alarm[meant]),
        "false_alarms": {name: {"n": len(flags), "alarms": sum(flags)} for name, flags in alarms.items()},
    }


def _unanswerable(rows: Rows, assistant: Assistant) -> dict[str, Any]:
    answered = np.array([is_answered(turn) for turn in whole_turns(assistant, rows)])
    no = np.array([row["answerable"] == "no" for row in rows])
    pairs = np.isin([row["author"] for row in rows], [row["author"] for row in rows if row["answerable"] == "yes"])
    return {"not_answered": share(~answered[no]), "of_pairs": share(~answered[no & pairs]), "others_answered": share(answered[~no])}


def _follow_ups(rows: list[dict[str, Any]]) -> dict[str, Any]:
    right = np.array([row["right"] for row in rows])
    return {
        "right": share(right),
        "by_author": by_value(right, [row["author"] for row in rows]),
        "by_after": by_value(right, [row["after"].partition(":")[0] for row in rows]),
    }


def _found(rows: Rows, knowledge: Knowledge, labelled: str, label: Callable[[Entry], str]) -> dict[str, Any]:
    """How often the search finds what stands in the column `labelled`, which is the `label` of an entry."""
    findings = [knowledge.find(row["text"]) for row in rows]
    pairs = list(zip(findings, [row[labelled] for row in rows], strict=True))
    first = np.array([f.best is not None and label(f.best) == wanted for f, wanted in pairs])
    answered = np.array([f.verdict is Verdict.ANSWER for f in findings])
    return {
        "at_1": share(first),
        "by_author": by_value(first, [row["author"] for row in rows]),
        "at_3": share(np.array([wanted in {label(hit.entry) for hit in f.hits} for f, wanted in pairs])),
        "answered_at_once": share(answered),
        "right_when_answered": share(first[answered]),
    }
