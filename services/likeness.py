"""When two texts are too much alike for both to be learned from, or for one to be learned from and the other to measure with."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz, process

NEAR_DUPLICATE = 90
"""Per cent of equal characters from which two examples of one intent count as the same."""
SEEN_BEFORE = 95
"""The same for an evaluation text and a training text; commonplaces of three words are let pass."""
SHORT_WORDS = 3


def bare(text: str) -> str:
    """What is left of a text for the question whether it stands under two intents."""
    return text.casefold().strip(" .?!")


def nearest(text: str, others: Sequence[str], per_cent: int) -> int | None:
    """The place of the first of `others`, in small letters, that is so much like `text`; None where there is none."""
    found = process.extractOne(text.casefold(), others, scorer=fuzz.ratio, score_cutoff=per_cent)
    return found[2] if found else None
