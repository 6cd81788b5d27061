"""Remembers what was made of a word, as long as it may be anybody's.

One with a digit or an "@" may be the number or the address of who typed it, which no memory keeps beyond the turn. And one of
thousands of letters would take the memory of as many words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

Made = TypeVar("Made")
KEPT = 20_000
LONGEST = 32
"""Characters of a word that is kept."""
_OF_ONE_PERSON = re.compile(r"[\d@]")


def remembering(make: Callable[[str], Made]) -> Callable[[str], Made]:
    """As `make`, which is asked only once for each of the last words that may be kept."""
    kept = lru_cache(KEPT)(make)

    def made(word: str) -> Made:
        return make(word) if len(word) > LONGEST or _OF_ONE_PERSON.search(word) else kept(word)

    return made
