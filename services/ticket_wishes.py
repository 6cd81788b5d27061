"""What a citizen wants of a ticket that was filed or shown, read from the words: withdraw it, add to it, print it, correct it.

A wish to withdraw and one to delete data differ in a word or two and in everything they do, so neither is left to likeness.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.fields import WISH_WORDS
from services.remarks import is_question
from services.spelling import normalise
from services.tickets import TAIL_LENGTH, normalise_number

WORDS_FILE = Path(__file__).with_name("ticket_wishes.yml")
LONGEST = 25
"""In words: a longer message tells something beside the wish."""
LONGEST_TOLD = 60
"""The same of one that goes on to tell what shall stand in it."""
LONGEST_LOOK = 10
"""And of wishes to see something, whose words are frequent ones."""
LONGEST_IN_NOTE = 8
"""So many words of a note can be nothing but a wish of another kind."""
TELLING_WORDS = 3
"""So many words beside those that announce a note are one."""
NEW_VALUE = re.compile(
    r"(?:\b(?:(?:se)?harusnya|menjadi|jadinya|yang ben[ae]r|should be)\b"
    r"|\b(?:ubah|ganti|change)\b.{1,30}?\b(?:jadi|ke|to)\b)\s*:?\s*(.+)",
    re.IGNORECASE,
)
"""What stands behind such words in a correction is the new value."""
_LIKE_A_TAIL = re.compile(r"(?<![\w-])(?:[A-Z0-9]{4}|(?=\w*\d)(?=\w*[a-z])[a-z0-9]{4})(?![\w-])")
STAND_IN = "nomortiket"
"""How `normalise` spells the number of a ticket, with the kind behind it."""


class Wish(StrEnum):
    WITHDRAW = "withdraw"
    NEW = "new"
    """Another one like it, or of the kind that is named."""
    RECEIPT = "receipt"
    NOTES = "notes"
    """To see what was added."""
    NOTE = "note"
    CORRECT = "correct"
    """To change what was filed, which nobody can."""
    DUE = "due"
    STATUS = "status"


class Reach(StrEnum):
    """How near the ticket is that the words may mean."""

    LAST = "last"
    """Said last: "itu" is the ticket."""
    AT_HAND = "at_hand"
    """Filed or opened a while ago."""
    NONE = "none"
    """The message has to call it a ticket."""


def still_open(opened: dict[str, str] | None, now: datetime) -> str | None:
    """The number in the slot of actions/opened_ticket.py, as long as it may be acted on."""
    return opened["number"] if opened and now < datetime.fromisoformat(opened["until"]) else None


def ticket_meant(text: str, numbers: Sequence[str]) -> str | None:
    """The ticket that the message names: by its whole number, whosever it is, or by the last characters of one of `numbers`."""
    return normalise_number(text) or next((number for number in numbers if _tail(number).search(text)), None)


def may_wish(text: str) -> bool:
    """Whether the message may tell a wish, were there a ticket: what costs little, before tickets are looked for."""
    return bool(_LIKE_A_TAIL.search(text)) or find_wish(text, Reach.LAST) is not None


def find_wish(text: str, reach: Reach, numbers: Sequence[str] = ()) -> Wish | None:
    """The wish that the message tells; `numbers` are of the tickets whose last characters may stand for them."""
    for number in numbers:
        text = _tail(number).sub(STAND_IN, text)
    spelling = " , ".join(filter(None, map(normalise, re.split(r"[,;.:!?\n]+", text))))
    words = len(spelling.split())
    if not words:
        return None
    if words <= LONGEST and _withdraws(spelling, reach):
        return Wish.WITHDRAW
    if words <= LONGEST_TOLD and _begins_new(spelling, reach):
        return Wish.NEW
    if words <= LONGEST_LOOK and (seen := _look(spelling, reach)):
        return seen
    if _adds(spelling, reach):
        return Wish.NOTE
    if words <= LONGEST and _corrects(spelling, text, reach):
        return Wish.CORRECT
    return _waits(spelling, reach) if words <= LONGEST_LOOK else None


def is_other_wish(text: str) -> bool:
    """Whether what is written for a note is wholly a wish of another kind: "cabut tiketnya", "bikin aspirasi baru"."""
    if len(normalise(text).split()) > LONGEST_IN_NOTE:
        return False
    if find_wish(text, Reach.LAST) is Wish.NEW:
        return True
    return find_wish(text, Reach.AT_HAND) in (Wish.WITHDRAW, Wish.RECEIPT, Wish.NOTES)


def withdraws(text: str) -> bool:
    """Whether a ticket is to be withdrawn, in words that by another reading would delete data."""
    return find_wish(text, Reach.AT_HAND) is Wish.WITHDRAW


def withdraws_that(text: str) -> bool:
    """The same of the ticket said last: "cabut aja deh"."""
    return find_wish(text, Reach.LAST) is Wish.WITHDRAW


def announces_note(text: str) -> bool:
    """Whether nothing but the wish to write a note is written: "mau tambah catatan dong"."""
    return find_wish(text, Reach.AT_HAND) is Wish.NOTE and told_note(text) is None


def told_note(text: str) -> str | None:
    """The message as a note, where it tells more than that there is one to write."""
    text = text.strip()
    if is_other_wish(text):
        return None
    if (new := NEW_VALUE.search(text)) and _telling(new[1]):
        return text
    _, colon, behind = text.partition(":")
    if colon and _telling(behind):
        return text
    return text if len(_telling(text)) >= TELLING_WORDS and not is_question(text) else None


def _telling(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+", normalise(text))
    return [word for word in words if word not in WISH_WORDS and not _pattern("{announcing}").fullmatch(word)]


@cache
def _tail(number: str) -> re.Pattern[str]:
    """The last characters of a number, alone: those that may be a word only in capitals, those that may be a year not at all."""
    tail = number[-TAIL_LENGTH:]
    spelling = tail if tail.isalpha() else "(?!)" if tail.isdigit() else f"(?i:{tail})"
    return re.compile(rf"(?<![\w-]){spelling}(?![\w-])")


@cache
def _groups() -> dict[str, str]:
    loaded: dict[str, Any] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    longest_first = {name: sorted(words, key=len, reverse=True) for name, words in loaded.items()}
    return {name: "|".join(re.escape(word).replace(r"\*", r"\w*") for word in words) for name, words in longest_first.items()}


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    """`{name}` stands for a word of that list, `{name*}` for none to six of them with a space each, `{name~}` also across commas."""
    shape = re.sub(r"\{(\w+)([*~])\}", lambda m: rf"(?:(?:{_groups()[m[1]]}{'|,' if m[2] == '~' else ''}) ){{0,6}}", shape)
    return re.compile(re.sub(r"\{(\w+)\}", lambda m: rf"(?:{_groups()[m[1]]})\b", shape))


_NOT = r"(?P<negated>\b{negation} (?:{filler} ){0,3})?"
_SHAPES: dict[str, tuple[str, ...]] = {
    "withdraw": (
        r"\b{withdraw} {filler*}{ticket}",
        r"\b{ticket} {filler~}{withdrawn}",
        r"\b{ticket} {filler~}{withdraw}(?: {filler})*(?= ,|$)",
    ),
    "withdraw_that": (
        r"\b{withdraw} {filler*}{pointing}",
        r"\b{pointing} {filler*}{withdrawn}",
        r"(?:^|, ){filler*}{bare}(?: {filler})*(?= ,|$)",
    ),
    "withdraw_named": (
        r"\b{withdraw} {filler*}{named}",
        r"\b{named} {filler~}{withdrawn}",
        r"\b{named} {filler~}{withdraw}(?: {filler})*(?= ,|$)",
    ),
    "erase": (r"\b{erase} {filler*}{ticket}", r"\b{ticket} {filler~}{erased}"),
    "erase_that": (r"\b{erase} {filler*}{pointing}", r"\b{pointing} {filler*}{erased}"),
    "new": (
        r"\b{open} {between*}(?:{fresh_kind} ){1,3}{between*}(?:yang )?{fresh}(?! {not_fresh})",
        r"\b{open} {between*}{fresh} {fresh_kind}",
        r"(?:^|, ){filler*}{fresh_kind} (?:baru|anyar)(?: {filler})*(?= ,|$)",
    ),
    "new_bare": (r"\b{open} {between*}(?:yang )?{fresh}(?! {not_fresh})",),
    "note": (
        r"\b(?:{add}|{write}) {between*}{filler*}(?:catatan|catetan|cathetan|note)\w*",
        r"\b{add} {between*}{filler*}{note}",
    ),
    "note_on": (r"\b{extend} {between*}{ticket}",),
}
"""Where a word of `negation` stands before one of these, it isn't wished."""


def _found(name: str, spelling: str) -> re.Match[str] | None:
    for shape in _SHAPES[name]:
        found = _pattern(_NOT + shape).search(spelling)
        if found and not found["negated"]:
            return found
    return None


def _has(name: str, spelling: str) -> bool:
    return bool(_pattern(rf"\b{{{name}}}").search(spelling))


def _withdraws(spelling: str, reach: Reach) -> bool:
    if _has("elsewhere", spelling):
        return False
    if reach is Reach.NONE:
        return bool(_found("withdraw_named", spelling)) and not is_question(spelling)
    if _found("withdraw", spelling) or (reach is Reach.LAST and _found("withdraw_that", spelling)):
        return True
    if _has("identity", spelling) or _has("notes", spelling):
        return False
    return bool(_found("erase", spelling) or (reach is Reach.LAST and _found("erase_that", spelling)))


def _begins_new(spelling: str, reach: Reach) -> bool:
    if reach is Reach.NONE:
        return False
    bare = _found("new_bare", spelling) if reach is Reach.LAST else None
    if bare and _has("elsewhere", spelling[: bare.start()]):
        return False
    return _begins(_found("new", spelling) or bare, spelling)


def _begins(found: re.Match[str] | None, spelling: str) -> bool:
    """Whether it stands near the beginning: far behind one it is a word of a story."""
    return found is not None and len(spelling[: found.start()].split()) <= LONGEST_IN_NOTE


def _look(spelling: str, reach: Reach) -> Wish | None:
    """Of the receipt or of what was added."""
    if _has("elsewhere", spelling):
        return None
    asks = _has("save", spelling) or _has("ask_for", spelling) or _has("show", spelling)
    receipt = _pattern(r"\b{receipt}(?! kasih)").search(spelling) is not None
    if reach is Reach.NONE:
        return Wish.RECEIPT if receipt and asks and _has("named", spelling) else None
    if receipt and (asks or reach is Reach.LAST):
        return Wish.RECEIPT
    if _pattern(r"\b(?:{save} (?:tidak )?{filler*}(?:{ticket}|{proof})|(?:{ticket}|{proof}) {filler*}{save})").search(spelling):
        return Wish.RECEIPT
    if reach is Reach.LAST and _saves_that(spelling):
        return Wish.RECEIPT
    whose = reach is Reach.LAST or bool(_pattern(r"\b(?:{mine}|tadi|catatanku|{ticket})").search(spelling))
    if whose and _pattern(r"\b(?:{show} {filler*}{notes}|{notes} {filler*}(?:mana|{show})\b)").search(spelling):
        return Wish.NOTES
    return None


def _saves_that(spelling: str) -> bool:
    """ "Bisa diunduh?", "buktinya mana": right after the ticket, and with no other thing named."""
    asked = r"{filler*}(?:{proof} {filler*}{ask_for}|{ask_for} {filler*}{proof})(?: {filler})*"
    saved = r"{filler*}{save}(?: (?:{filler}|{pointing}|{later}))*"
    return bool(_pattern(asked).fullmatch(spelling) or _pattern(saved).fullmatch(spelling))


def _adds(spelling: str, reach: Reach) -> bool:
    found = _found("note", spelling) or (_found("note_on", spelling) if reach is not Reach.NONE else None)
    if reach is Reach.NONE and (not _has("named", spelling) or is_question(spelling)):
        return False
    return _begins(found, spelling)


def _corrects(spelling: str, text: str, reach: Reach) -> bool:
    if _has("elsewhere", spelling):
        return False
    erases_note = _pattern(r"\b{erase} {filler*}{notes}|\b{notes} (?:(?:{filler}|{change}|,) )*{erased}")
    if reach is Reach.NONE:
        named = r"\b{change} {filler*}(?:isi |isinya )?{named}"
        return bool(_pattern(named).search(spelling)) and not is_question(spelling) and not _has("status", spelling)
    if erases_note.search(spelling) and not _has("identity", spelling):
        return True
    whole = r"\b(?:{change} (?:{between} |{filed} ){0,2}{filler*}{ticket}|{ticket} {filler*}(?:{filed} )?{change})"
    if _pattern(whole).search(spelling):
        return True
    part = r"\b(?:{change} {between*}{filler*}{filed}|{filed} {filler*}{change})"
    if reach is Reach.LAST:
        return bool(_pattern(part).search(spelling))
    own = _pattern(r"\b(?:{filed} {mine} {filler*}{change}|{change} {filler*}{filed} {mine})").search(spelling)
    return bool(own and NEW_VALUE.search(text))


def _waits(spelling: str, reach: Reach) -> Wish | None:
    if _has("elsewhere", spelling) or reach is Reach.NONE:
        return None
    near = reach is Reach.LAST or _pattern(r"\b(?:{ticket} (?:{mine}|tadi)|my {ticket}|nomortiket\w*)").search(spelling)
    if near and _has("when", spelling) and _has("answered", spelling):
        return Wish.DUE
    if near and _has("status", spelling) and not _has("status_meaning", spelling) and len(spelling.split()) <= LONGEST_IN_NOTE:
        return Wish.STATUS
    return None
