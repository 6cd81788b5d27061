"""Tells who wants to hear again what was said: the choices, the summary of a form, its question. And who takes a cancel back.

A message counts only where it says nothing else: every word of the clause is one of such a wish.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from services.commands import ORDINALS, POLITE
from services.spelling import normalise

WORDS_FILE = Path(__file__).with_name("read_back.yml")
LONGEST = 15
"""In words: a longer message tells something beside the wish."""
LARGEST_NUMBER = 20
_NAMES_ONE = frozenset("nomor pilihan opsi number option".split())
_TAKES_BACK = re.compile(
    r"(?:(?:saya|kami|mau|ingin|tetap|tetep|iya|tapi|ternyata|kalau begitu|begitu|mending|sekarang|actually|ok|i) )*"
    r"(?:jadi|jd|lanjut\w*|teruskan|diteruskan|terusin|tidak jadi (?:di)?batal\w*|jangan (?:jadi )?(?:di)?batal\w*"
    r"|(?:mulai|isi|bikin|buat|untuk|coba) lagi|changed my mind|(?:do|want) it after all|after all|go on|let's continue|continue)"
    r"(?: (?:saya|mau|kirim|mengirim|isi|mengisi|bikin|lanjut|lagi|itu|yang|tadi|begitu|sekarang|formulir\w*|form"
    r"|aspirasi\w*|permohonan\w*|keberatan\w*|kunjungan\w*|magang\w*|after all|it))*"
)


def wants_choices(message: str) -> bool:
    """Whether the choices are to be said again: "low vision, tolong pilihannya dibacakan"."""
    return _says_only(message, "choices")


def wants_summary(message: str) -> bool:
    """Whether what a form has, or its question, is to be said again: "bacakan ringkasannya dari awal"."""
    return _says_only(message, "summary") or _says_only(message, "choices")


def asks_what_a_number_is(message: str) -> bool:
    """Whether it is asked which choice a number stands for: "kalau nomor 1 apa"."""
    words = _words(message)
    numbers = [word for word in words if (word.isdigit() and int(word) <= LARGEST_NUMBER) or word in ORDINALS]
    if len(numbers) != 1:
        return False
    rest = [word for word in words if word not in numbers]
    asks = "apa" in rest or "what" in rest
    known = all(word in _NAMES_ONE or word in ("apa", "what") or _is(word, "of_a_number") for word in rest)
    named = _NAMES_ONE.intersection(rest) or ("yang" in rest and not numbers[0].isdigit())
    return asks and known and bool(named)


def takes_back(message: str) -> bool:
    """Whether a form that was called off is wanted after all: "eh jadi deh kak"."""
    return bool(_TAKES_BACK.fullmatch(" ".join(POLITE.sub(" ", re.sub(r"[^\w' ]", " ", normalise(message))).split())))


def _says_only(message: str, what: str) -> bool:
    """Whether a clause of a short message asks to say `what` again, and nothing else."""
    if len(message.split()) > LONGEST:
        return False
    for words in map(_words, re.split(r"[,;.!?\n]+", message)):
        named = [word for word in words if _is(word, what)]
        said = [word for word in words if _is(word, "say")]
        if named and said and all(word in (*named, *said) or _is(word, "beside") for word in words):
            return True
    return False


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalise(text))


def _is(word: str, what: str) -> bool:
    whole, beginnings = _lists()[what]
    return word in whole or word.startswith(beginnings)


@cache
def _lists() -> dict[str, tuple[frozenset[str], tuple[str, ...]]]:
    """By name the words of each list that stand whole, and those of which only the beginning is given."""
    loaded: dict[str, list[str]] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return {
        name: (frozenset(words), tuple(word.removesuffix("*") for word in words if word.endswith("*")))
        for name, words in loaded.items()
    }
