"""Finds in an answer the sentences or list items that come nearest to a question, so that a whole answer need not be said twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from services.encoder import CachingEncoder, Vectors, directions
from services.spelling import normalise

LEGEND_FILE = Path(__file__).with_name("status_legend.yml")
NEAR_FROM, SECOND_WITHIN = 0.22, 0.06
"""The score from which a part comes near the question, and how little worse the second one that is said with it may be."""
WORDS_WEIGHT = 0.5
STEM = 5
"""So many letters of a word count, which forgives endings: "ditandatangani", "ditandatanganinya"."""
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_LIST_ITEM = re.compile(r"[-*] +|\d+[.)] +")
_SENTENCE_END = re.compile(r"(?<!\bJl\.)(?<!\bNo\.)(?<!\bdr\.)(?<!\bext\.)(?<=[.!?])\s+(?=[A-Z*\[\d])")
_LEANS_BACK = re.compile(r"(?:\w+ itu|dasarnya|surelnya|it|they|that|this|those|its|the base)\b", re.IGNORECASE)
"""How a sentence begins that can't be understood without the one before it."""
_SAYS_NOTHING = re.compile(r"(?:maaf|sorry)\b", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    """
    ada adalah agar aja akan anda apa apakah atau bagaimana bagi bang bapak belum bila bisa boleh bu buat bukan dalam dan
    dapat dari deh dengan di dia dong gimana harus hanya ibu ingin ini itu iya jadi jika juga kah kak kalau kami kan kapan
    karena ke kok kita lagi lah lalu mana mas masih mau mbak memang min nah nanti nih oleh orang pada pak paling para perlu
    pun punya saat saja sama sampai saya sih siapa berapa sudah supaya tadi tapi tanya terus tetapi tidak tolong tuh untuk ya
    yang a about an and any are as at be but by can do does for from has have how i if in is it me must my not of on or so
    that the then there they this to was what when where which who why will with would you your
    """.split()
)


@dataclass(frozen=True)
class Passage:
    place: int
    """Among the parts of the answer."""
    text: str


def parts_of(answer: str) -> list[str]:
    """The list items and sentences of a Markdown text; what merely leads to a list is none."""
    parts = []
    for line in answer.splitlines():
        if item := _LIST_ITEM.match(line):
            parts.append(line[item.end() :].strip())
        elif line.strip() and not line.rstrip().endswith(":"):
            parts += _SENTENCE_END.split(line.strip())
    return parts


def nearest(question: str, answer: str, encoder: CachingEncoder, mean: Vectors, said: frozenset[int] = frozenset()) -> list[Passage]:
    """The one or two parts of `answer` nearest to `question`, in their order; none where no part comes near.

    `mean`: away from which sentence vectors are compared. `said`: places of parts that are not wanted again.
    """
    parts = parts_of(answer)
    scores = _scores(question, parts, encoder, mean)
    for place, part in enumerate(parts):
        if place in said or _SAYS_NOTHING.match(part):
            scores[place] = -np.inf
    best = int(scores.argmax())
    if scores[best] < NEAR_FROM:
        return []
    places = {best}
    if best and _LEANS_BACK.match(parts[best]):
        places.add(best - 1)
    elif len(parts) > 1:
        second = int(np.argsort(-scores)[1])
        if scores[second] >= max(NEAR_FROM, scores[best] - SECOND_WITHIN):
            places.add(second)
    return [Passage(place, parts[place]) for place in sorted(places)]


def line_of_status(answer: str, status: str) -> Passage | None:
    """The part of an answer about the meaning of all statuses that names `status` in bold."""
    name = _names_of_statuses().get(status)
    parts = enumerate(parts_of(answer))
    return next((Passage(place, part) for place, part in parts if name in [normalise(bold) for bold in _BOLD.findall(part)]), None)


@cache
def _names_of_statuses() -> dict[str, str]:
    return dict(yaml.safe_load(LEGEND_FILE.read_text(encoding="utf-8")))


def _scores(question: str, parts: list[str], encoder: CachingEncoder, mean: Vectors) -> Vectors:
    vectors = directions(encoder.encode([question, *parts]), mean)
    wanted = stems(question)
    shared = [len(wanted & stems(part)) / max(len(wanted), 1) for part in parts]
    return np.asarray(vectors[1:] @ vectors[0] + WORDS_WEIGHT * np.array(shared, dtype=np.float32), dtype=np.float32)


def stems(text: str) -> set[str]:
    """The beginnings of the words of a text that say something."""
    return {word[:STEM] for word in normalise(text).split() if word not in _FUNCTION_WORDS and word.isalnum()}
