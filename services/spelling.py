"""Brings Indonesian as people type it to one spelling, for everything that counts or compares words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import yaml

SLANG_FILE = Path(__file__).with_name("slang.yml")

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_LETTERS_APART = re.compile(r"(?<!\S)(?:[^\W\d_]\s){2,}[^\W\d_](?!\S)")
_ELONGATED = re.compile(r"([a-z])\1{2,}")
_REDUPLICATED = re.compile(r"\b([a-z]{2,})2(nya|an)?\b")
_HYPHENATED = re.compile(r"\b([a-z]{2,})-\1\b")
_TICKET = re.compile(r"\b(asp|pip|keb|kun|mag)[\s_-]{0,3}\d{8}[\s_-]{0,3}[0-9a-z]{4}\b")
_SIMPEL_NUMBER = re.compile(r"\bdemo[\s_-]{0,3}smp[\s_-]{0,3}\d{1,6}\b|\b[a-z]{1,2}\s?-\s?\d{1,6}(?:\s?/\s?[a-z0-9.]{1,12}){3,7}\b")
SHOUTED = 0.7
"""The share of capitals among the letters of two words or more from which case says nothing."""
_BEFORE_OPENING = r"(?:^|[^\w\s-]|\b(?:eh|oh|oya|oiya|iya|ya|nah|halo|hai|min|admin|kak|pak|bu|mas|mbak)\s)\s*"
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[?!]")
_NORMALISED: ContextVar[dict[str, str] | None] = ContextVar("normalised", default=None)


@cache
def slang() -> dict[str, str]:
    """Everyday spelling to standard word; to "" what opens a thought. Raises ValueError where a spelling stands for two words."""
    words: dict[str, str] = {}
    for standard, spellings in yaml.load(SLANG_FILE.read_text(), Loader=yaml.BaseLoader).items():  # noqa: S506 makes strings only
        for spelling in spellings.lower().split():
            if words.setdefault(spelling, standard) != standard:
                raise ValueError(f"{SLANG_FILE.name}: {spelling!r} stands for {words[spelling]!r} and {standard!r}")
    return words


@cache
def _openings() -> re.Pattern[str]:
    """What opens a thought ("by the way"), where one begins and two words or more follow: "permisi kak" is a greeting."""
    spellings = "|".join(re.escape(spelling).replace(r"\-", r"[\s-]+") for spelling, standard in slang().items() if not standard)
    return re.compile(rf"({_BEFORE_OPENING})(?:(?:{spellings})\b\W*)+(?=\w+\W+\w)", re.IGNORECASE)


@cache
def _idioms() -> re.Pattern[str]:
    idioms = (spelling for spelling, standard in slang().items() if standard and re.search(r"[-\d]", spelling))
    spellings = "|".join(re.escape(idiom).replace(r"\-", r"[\s-]+") for idiom in idioms)
    return re.compile(rf"\b(?:{spellings})\b", re.IGNORECASE)


def joined(text: str) -> str:
    """Words that were written letter by letter ("m a u") in one."""
    return _LETTERS_APART.sub(lambda found: re.sub(r"\s", "", found[0]), text)


def _plainly(text: str) -> str:
    """Idioms, which mean other than their words ("kill time"), and disguised words ("m4ti") in words that mean it."""
    return _idioms().sub(lambda found: slang()[re.sub(r"[\s-]+", "-", found[0].lower())], text)


def for_encoder(text: str) -> str:
    """The text as a sentence encoder should read it, which knows case and every word: no shouting, openings or idioms.

    To it "API" (fire) in capitals is an interface, "permisi" (excuse me) lies near permits, and who kills time kills.
    """
    text = joined(text)
    capitals = sum(letter.isupper() for letter in text)
    shouted = " " in text.strip() and capitals > SHOUTED * sum(letter.isalpha() for letter in text)
    return _plainly(_openings().sub(r"\1", text.lower() if shouted else text))


@contextmanager
def normalising_once() -> Iterator[None]:
    """Within it each text is normalised once. What was made is forgotten at its end: it may be a citizen's."""
    token = _NORMALISED.set({})
    try:
        yield
    finally:
        _NORMALISED.reset(token)


def normalise(text: str) -> str:
    """Lower case, one form of Unicode, no lengthened letters, "2" written out, requests' numbers named; no openings, idioms, slang."""
    known = _NORMALISED.get()
    if known is None:
        return _normalised(text)
    if text not in known:
        known[text] = _normalised(text)
    return known[text]


def _normalised(text: str) -> str:
    text = joined(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower())
    text = _SIMPEL_NUMBER.sub(" nomorsimpel ", _TICKET.sub(r" nomortiket\1 ", text))
    text = _REDUPLICATED.sub(r"\1 \1\2", _ELONGATED.sub(r"\1", text))
    text = _HYPHENATED.sub(r"\1 \1", text)
    text = _plainly(_openings().sub(r"\1", text))
    return " ".join(slang().get(word) or word for word in _WORD.findall(text))
