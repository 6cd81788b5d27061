"""What a text is counted by: its words and pairs of words, and parts of words, which forgive typos.

As scikit-learn's analysers "word" and "char_wb" have them, of which a process that only answers would load 60 MB for these few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

SHORTEST_PART, LONGEST_PART = 2, 5


def parts_of_word(word: str, longest: int = LONGEST_PART) -> list[str]:
    """All stretches of `SHORTEST_PART` to `longest` characters of a word with a space before and behind it."""
    padded = f" {word} "
    size = len(padded)
    return [
        padded[start : start + length] for length in range(SHORTEST_PART, min(longest, size) + 1) for start in range(size - length + 1)
    ]


def parts_of_words(text: str, longest: int = LONGEST_PART) -> list[str]:
    return list(chain.from_iterable(parts_of_word(word, longest) for word in text.split()))


def words_and_pairs(text: str) -> list[str]:
    words = text.split()
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def itself(unit: str) -> tuple[str]:
    return (unit,)


class Terms(NamedTuple):
    """A text's terms are those of its units; the same unit always has the same ones."""

    units: Callable[[str], Sequence[str]]
    of: Callable[[str], Sequence[str]] = itself


WORDS = Terms(str.split)
PARTS = Terms(str.split, parts_of_word)
PAIRS = Terms(words_and_pairs)
