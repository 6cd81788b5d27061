"""Examples of messages that lean on what was said (data/follow_ups.csv), and the entries that answer those which ask on.

"gratis gak" after any answer about internships wants the entry about their allowance: the nearest examples of the same topic tell.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.encoder import CachingEncoder, directions
from services.follow_ups import After, LastSaid, Meant
from services.settings import PROJECT
from services.spelling import normalise
from services.term_vectors import TermVectors
from services.terms import PARTS

FILE = PROJECT / "data" / "follow_ups.csv"
WEIGHTS = {"meaning": 0.8, "spelling": 1.2}
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FollowUp:
    """One example. `entries`: ids of those that answer it, the best first; empty where none does or it asks nothing."""

    last: LastSaid
    text: str
    meant: Meant
    entries: tuple[str, ...] = ()

    @property
    def is_searched(self) -> bool:
        """Whether it tells the search which entries are meant after another."""
        return bool(self.entries and self.last.entry)


def read(path: Path = FILE) -> list[FollowUp]:
    """Columns after, text, meant, entries, author. Raises ValueError for a name in them that doesn't exist."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_example(row) for row in csv.DictReader(file)]


def _example(row: dict[str, str]) -> FollowUp:
    after, _, about = row["after"].partition(":")
    entries = tuple(row["entries"].split("|")) if row["entries"] else ()
    return FollowUp(LastSaid(After(after), about), row["text"], Meant(row["meant"]), entries)


class FollowUpSearch:
    def __init__(self, examples: Iterable[FollowUp], encoder: CachingEncoder) -> None:
        self._encoder = encoder
        asking = [one for one in examples if one.is_searched]
        self.texts = [one.text for one in asking]
        self._answers = [one.entries for one in asking]
        vectors = encoder.encode_and_keep(self.texts)
        self._mean = vectors.mean(axis=0)
        self._vectors = directions(vectors, self._mean)
        self._characters, self._rows, _ = TermVectors.fitted(PARTS, [normalise(text) for text in self.texts])
        self._after: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(asking):
            self._after[str(one.last.entry)].append(number)

    def scores(self, question: str, said: Iterable[str], places: Mapping[str, int]) -> Scores:
        """How near `question` comes to the examples that each entry answers, one number a place.

        `said`: ids of entries after which the examples count. `places`: of each entry's id.
        """
        result = np.zeros(len(places))
        numbers = [number for entry in said for number in self._after.get(entry, ())]
        if not numbers:
            return result
        meaning = self._vectors[numbers] @ directions(self._encoder.encode([question]), self._mean)[0]
        spelling = (self._rows[numbers] @ self._characters.rows([normalise(question)]).T).toarray()[:, 0]
        for view, weight in ((meaning, WEIGHTS["meaning"]), (spelling, WEIGHTS["spelling"])):
            result += weight * self._nearest(view, numbers, places)
        return result

    def _nearest(self, likeness: npt.NDArray[np.float32], numbers: Sequence[int], places: Mapping[str, int]) -> Scores:
        nearest = np.zeros(len(places))
        for number, like in zip(numbers, likeness, strict=True):
            for entry in self._answers[number]:
                place = places.get(entry)
                if place is not None:
                    nearest[place] = max(nearest[place], like)
        return nearest
