"""Decisions as a change to the project's own files: examples for `data/nlu/`, every fifth a question for `evaluation/citizens/`.

What is there already, or nearly, is left out and said. Which side a text goes to follows from its words alone, so the same text
can never end up on both, whoever exports it and when. Nothing is written here: the change is a patch that a person applies.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services.git_patch import file_patch
from services.knowledge_files import read_all
from services.likeness import NEAR_DUPLICATE, SEEN_BEFORE, bare, nearest
from services.teaching import QUESTION, one_line, same_words
from services.training_files import files_of_intents, training_examples
from store.teaching_models import TeachingDecision

MEASURED_SHARE = 5
"""One of so many texts measures; the others teach."""
INTENTS_FILE, TOPICS_FILE = "evaluation/citizens/intents.csv", "evaluation/citizens/topics.csv"
HEADINGS = {INTENTS_FILE: ("text", "intent", "register", "author"), TOPICS_FILE: ("text", "topic")}
REGISTER = AUTHOR = "citizen"
"""Of a text that a citizen wrote: nobody has sorted it by register."""


class LeftOut(StrEnum):
    IN_TRAINING = "in_training"
    UNDER_OTHER_INTENT = "under_other_intent"
    IN_EVALUATION = "in_evaluation"
    IN_KNOWLEDGE = "in_knowledge"
    NO_FILE = "no_file"
    """The intent has no examples in `data/nlu/`, or the folder is not there."""


@dataclass(frozen=True)
class Omission:
    text: str
    intent: str
    why: LeftOut
    like: str = ""
    """The text that is there already."""


@dataclass(frozen=True)
class TeachingPatch:
    patch: str
    """For `git apply`; empty where everything was left out."""
    training: int
    evaluation: int
    left_out: list[Omission]


class _Known:
    """The texts of the project, and those that this change adds."""

    def __init__(self, project: Path) -> None:
        self.training = training_examples(project / "data" / "nlu")
        self.intent_of = {bare(text): intent for intent, texts in self.training.items() for text in texts}
        self._lowered = {intent: [text.casefold() for text in texts] for intent, texts in self.training.items()}
        self._all = [text for texts in self._lowered.values() for text in texts]
        self._measured = [text.casefold() for path in sorted((project / "evaluation").rglob("*.csv")) for text in _texts(path)]
        entries, _ = read_all(project / "knowledge")
        self._questions = [text.casefold() for entry in entries.values() for text in entry.examples]

    def against(self, text: str, intent: str, *, measures: bool) -> tuple[LeftOut, str] | None:
        """Why a text may not be added, and the one that it is too much like."""
        own = self._lowered.get(intent, [])
        other = self.intent_of.get(bare(text))
        if other not in (None, intent):
            return LeftOut.UNDER_OTHER_INTENT, str(other)
        places = [(LeftOut.IN_TRAINING, own, NEAR_DUPLICATE), (LeftOut.IN_EVALUATION, self._measured, NEAR_DUPLICATE)]
        if measures:
            places += [(LeftOut.IN_TRAINING, self._all, SEEN_BEFORE), (LeftOut.IN_KNOWLEDGE, self._questions, SEEN_BEFORE)]
        for why, texts, per_cent in places:
            found = nearest(text, texts, per_cent)
            if found is not None:
                return why, texts[found]
        return None

    def add(self, text: str, intent: str, *, measures: bool) -> None:
        if measures:
            self._measured.append(text.casefold())
            return
        self.intent_of[bare(text)] = intent
        self._lowered.setdefault(intent, []).append(text.casefold())
        self._all.append(text.casefold())


def measures(text: str) -> bool:
    """Whether a text goes to the evaluation files: one of five, by its words."""
    return hashlib.sha256(same_words(text).encode()).digest()[0] % MEASURED_SHARE == 0


def as_example(text: str) -> str:
    """A text as it may stand in a list of examples: on one line, without what Rasa reads as an entity's markup."""
    return re.sub(r"\](?=[({])", "] ", one_line(text)).lstrip("- ")


def teaching_patch(decisions: Iterable[TeachingDecision], project: Path) -> TeachingPatch:
    """The change that adds the decisions to the files below `project`, as they are now."""
    known, files = _Known(project), files_of_intents(project / "data" / "nlu")
    taught: dict[str, list[str]] = defaultdict(list)
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    left_out = []
    for decision in decisions:
        text, intent = as_example(decision.text), str(decision.intent)
        if intent not in files or not text:
            left_out.append(Omission(text, intent, LeftOut.NO_FILE))
            continue
        is_measured = measures(text)
        against = known.against(text, intent, measures=is_measured)
        if against:
            left_out.append(Omission(text, intent, *against))
            continue
        known.add(text, intent, measures=is_measured)
        if not is_measured:
            taught[intent].append(text)
            continue
        rows[INTENTS_FILE].append((text, intent, REGISTER, AUTHOR))
        if intent == QUESTION and decision.topic:
            rows[TOPICS_FILE].append((text, decision.topic))
    changes = {**_with_examples(project, files, taught), **_with_rows(project, rows)}
    patch = "".join(file_patch(path, *texts) for path, texts in sorted(changes.items()))
    return TeachingPatch(patch, sum(map(len, taught.values())), len(rows[INTENTS_FILE]), left_out)


def _with_examples(project: Path, files: dict[str, Path], taught: dict[str, list[str]]) -> dict[str, tuple[str | None, str]]:
    """Path to the text before and after."""
    changes: dict[str, tuple[str | None, str]] = {}
    for intent, texts in taught.items():
        path = files[intent].relative_to(project).as_posix()
        before, now = changes.get(path) or (_read(files[intent]),) * 2
        changes[path] = (before, _insert(str(now), intent, texts))
    return changes


def _insert(file: str, intent: str, texts: Sequence[str]) -> str:
    """The file of training data with the texts at the end of the intent's examples."""
    block = re.search(
        rf"^  - intent: {intent}\n    examples: \|\n(?:      .*\n|\n)*", f"{file}\n" if not file.endswith("\n") else file, re.MULTILINE
    )
    if block is None:
        raise ValueError(f"{intent} has no list of examples")
    end = block.start() + len(block[0].rstrip("\n"))
    return f"{file[:end]}\n" + "\n".join(f"      - {text}" for text in texts) + (file[end:] or "\n")


def _with_rows(project: Path, rows: dict[str, list[tuple[str, ...]]]) -> dict[str, tuple[str | None, str]]:
    changes: dict[str, tuple[str | None, str]] = {}
    for name, added in rows.items():
        path = project / name
        before = _read(path) if path.exists() else None
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        if before is None:
            writer.writerow(HEADINGS[name])
        writer.writerows(added)
        joined = before if before is None or before.endswith("\n") else f"{before}\n"
        changes[name] = (before, (joined or "") + out.getvalue())
    return changes


def _read(path: Path) -> str:
    """With the line ends that the file has."""
    return path.read_bytes().decode("utf-8")


def _texts(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row.get("text")]
