"""Checks the training data: enough examples, no near-duplicates, no text under two intents, nothing of the evaluation files in it.

Run by `make lint`. Ends with status 1 and one line a finding.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

from services import answerability, shipped_vectors
from services.encoder import E5Encoder
from services.follow_up_search import FollowUp, read
from services.knowledge_files import read_all
from services.likeness import NEAR_DUPLICATE, SEEN_BEFORE, SHORT_WORDS, bare, nearest
from services.training_files import training_examples

LEAST, LEAST_BUSY = 60, 100
"""Examples of an intent, and of one that many citizens mean."""
BUSY = """
    ask_information submit_aspiration report_complaint submit_information_request check_simpel_status check_ticket_status
    talk_to_officer crisis out_of_scope
""".split()
ALLOWED_UNSHIPPED = 200
"""So many texts are encoded in a few seconds; beyond that the first start gets slow."""
FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent
DEVELOPMENT_OF_INTENTS = {"intents.csv", "out_of_scope.csv"}


def too_few(examples: dict[str, list[str]]) -> list[str]:
    least = {intent: LEAST_BUSY if intent in BUSY else LEAST for intent in {*examples, *BUSY}}
    counts = {intent: len(examples.get(intent, ())) for intent in sorted(least)}
    return [f"{intent}: {n} examples, {least[intent]} are needed" for intent, n in counts.items() if n < least[intent]]


def near_duplicates(intent: str, texts: list[str]) -> list[str]:
    lowered = [text.casefold() for text in texts]
    ratios = process.cdist(lowered, lowered, scorer=fuzz.ratio, score_cutoff=NEAR_DUPLICATE, dtype=np.uint8)
    pairs = np.argwhere(np.triu(ratios, k=1) > 0)
    return [f"{intent}: near-duplicates: {texts[a]!r} / {texts[b]!r}" for a, b in pairs]


def two_intents(examples: dict[str, list[str]]) -> list[str]:
    owner: dict[str, str] = {}
    findings = []
    for intent, texts in examples.items():
        for text in texts:
            first = owner.setdefault(bare(text), intent)
            if first != intent:
                findings.append(f"{text!r} stands under {first} and {intent}")
    return findings


def seen_before(evaluation: list[str], training: list[str], where: str) -> list[str]:
    """Evaluation texts that the training side holds too."""
    longer = [text for text in evaluation if len(text.split()) > SHORT_WORDS]
    lowered = [text.casefold() for text in training]
    findings = []
    for text in longer:
        if nearest(text, lowered, SEEN_BEFORE) is not None:
            findings.append(f"{where}: an evaluation text is in the training data: {text!r}")
    return findings


def said_twice(follow_ups: list[FollowUp]) -> list[str]:
    """Follow-ups that stand twice after the same kind of thing said."""
    counts = Counter((one.last.after, bare(one.text)) for one in follow_ups)
    return [f"data/follow_ups.csv: {text!r} stands {n} times after {after}" for (after, text), n in counts.items() if n > 1]


def column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def leaked(folder: Path, examples: list[str], questions: list[str]) -> list[str]:
    """Texts of the evaluation files under `folder` that are learned from: of the held-out files neither by intents nor by search.

    What the development files of intents share with question variants is let pass: the search is not measured on them.
    """
    findings = []
    for path in sorted(folder.rglob("*.csv")):
        is_development_of_intents = path.parent == folder and path.name in DEVELOPMENT_OF_INTENTS
        learned = examples if is_development_of_intents else examples + questions
        findings += seen_before(column(path, "text"), learned, str(path.relative_to(folder)))
    return findings


def main() -> int:
    examples = training_examples(PROJECT / "data" / "nlu")
    everything = [text for texts in examples.values() for text in texts]
    findings = two_intents(examples) + too_few(examples)
    for intent, texts in examples.items():
        findings += near_duplicates(intent, texts)
    entries, _ = read_all(PROJECT / "knowledge")
    questions = [text for entry in entries.values() for text in entry.examples]
    findings += leaked(FOLDER, everything, questions)
    follow_ups = read()
    findings += leaked(FOLDER, [one.text for one in follow_ups], []) + said_twice(follow_ups)
    shipped = shipped_vectors.read(E5Encoder.name)
    unanswerable = answerability.read()
    findings += leaked(FOLDER, unanswerable, [])
    searched = {*questions, *unanswerable, *(one.text for one in follow_ups if one.is_searched)}
    missing = sum(shipped_vectors.key_of(text) not in shipped for text in searched)
    if missing > ALLOWED_UNSHIPPED:
        findings.append(f"{missing} questions have no vector in {shipped_vectors.FILE.name}: run `sapa vectors`")
    for finding in findings:
        print(finding)
    counted = f"{len(everything)} training examples, {len(questions)} question variants, {len(follow_ups)} follow-ups"
    print(f"{counted}, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
