"""Mends mistyped words by the words that a body of texts is known to use: "asipirasi masyrakaat" is "aspirasi masyarakat".

Only a word that the texts hardly know is changed, and only into one that they use often and that is one or two slips away (a slip: a
letter left out, put in, changed, or two swapped). Names and words of other languages mostly have no such neighbour and stay.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

from services.word_memory import remembering

KNOWN_FROM, OFFERED_FROM = 2, 3
"""How often a word has to be used to be left alone, and to be what another is mended into."""
SHORTEST = 4
SHORT_WORD, SLIPS_SHORT, SLIPS = 5, 1, 2
"""Up to so many letters a word is mended over one slip, a longer one over two."""


class SpellingCorrection:
    def __init__(self, spellings: Iterable[str]) -> None:
        """`spellings` are normalised texts (services/spelling.py)."""
        self._use(_words_of(spellings))

    def with_texts(self, fresh: Iterable[str], gone: Iterable[str]) -> SpellingCorrection:
        """One that knows the words of `fresh`, too, and no longer those of `gone`, which are among its own texts."""
        counts = self._counts + _words_of(fresh)
        counts.subtract(_words_of(gone))
        twin = object.__new__(type(self))
        twin._use(counts)
        return twin

    def _use(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._offered: dict[int, list[str]] = defaultdict(list)
        for word, count in self._counts.items():
            if count >= OFFERED_FROM and len(word) >= SHORTEST and word.isalpha():
                self._offered[len(word)].append(word)
        self._near: dict[tuple[int, int], list[str]] = {}
        self._mended = remembering(self._mend)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_mended"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._mended = remembering(self._mend)

    def correct(self, spelling: str) -> str:
        return " ".join(self._mended(word) for word in spelling.split())

    def _mend(self, word: str) -> str:
        if len(word) < SHORTEST or not word.isalpha() or self._counts[word] >= KNOWN_FROM:
            return word
        slips = SLIPS_SHORT if len(word) <= SHORT_WORD else SLIPS
        found = process.extract(word, self._offered_near(len(word), slips), scorer=OSA.distance, score_cutoff=slips, limit=8)
        ranked = sorted(found, key=lambda hit: (hit[1], hit[0][0] != word[0], -self._counts[hit[0]]))
        return str(ranked[0][0]) if ranked else word

    def _offered_near(self, length: int, slips: int) -> list[str]:
        """Offered words of a `length` that differs by at most so many letters."""
        if (length, slips) not in self._near:
            lengths = range(length - slips, length + slips + 1)
            self._near[length, slips] = [other for near in lengths for other in self._offered.get(near, ())]
        return self._near[length, slips]


def _words_of(spellings: Iterable[str]) -> Counter[str]:
    return Counter(word for spelling in spellings for word in spelling.split())
