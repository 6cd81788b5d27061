"""Puts numbers that are dictated in words into figures: "dua puluh enam" is 26, "dua ribu dua puluh enam" 2026."""

from __future__ import annotations

import re

ONES = {word: number for number, word in enumerate("nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas".split())}
_WHOLE = {"seratus": 100, "seribu": 1000}
_TIMES = {"puluh": 10, "ratus": 100, "ribu": 1000}
_WORD = "|".join((*ONES, *_WHOLE, *_TIMES, "belas"))
_NUMBER = re.compile(rf"\b(?:{_WORD})(?:\s(?:{_WORD}))*\b")


def in_figures(spelling: str) -> str:
    """`spelling`, in lower case, with every number in words as figures."""
    return _NUMBER.sub(lambda found: str(_value(found[0].split())), spelling)


def _value(words: list[str]) -> int:
    total, hundreds, last = 0, 0, 0
    for word in words:
        if word in ONES:
            hundreds, last = hundreds + last, ONES[word]
        elif word in _WHOLE:
            hundreds, last = hundreds + last, _WHOLE[word]
        elif word == "belas":
            last += 10
        elif word == "ribu":
            total, hundreds, last = total + (hundreds + last) * 1000, 0, 0
        else:
            last *= _TIMES[word]
    return total + hundreds + last
