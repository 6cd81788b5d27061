"""What a citizen wants of a ticket that was filed or shown, read from the words: withdraw it, add to it, print it, correct it.

A wish to withdraw and one to delete data differ in a word or two and in everything they do, so neither is left to likeness.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from services.commands import POLITE
from services.remarks import is_question
from services.spelling import normalise
from services.substance import WISH_WORDS
from services.tickets import TAIL_LENGTH, Kind, normalise_number

WORDS_FILE = Path(__file__).with_name("ticket_wishes.yml")
LONGEST = 25
"""In words: a longer message tells something beside the wish."""
LONGEST_TOLD = 60
"""The same of one that goes on to tell what shall stand in it."""
LONGEST_LOOK = 10
"""And of wishes to see something, whose words are frequent ones."""
LONGEST_READ_BACK = 15
"""And of wishes to hear the number again, which may tell how: "pelan-pelan, huruf demi huruf"."""
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
_ANNOUNCEMENT_ENDS = re.compile(r"[:,\n]|(?<=\s)-(?=\s)")
_KEEPS = re.compile(
    r"\b(?:jangan(?: sampai)?|tidak (?:usah|perlu|mau|jadi|ingin)|ojo|ulah|don't|do not)(?: saya| kami| pernah)? "
    r"(?:di|me|men)?(?:cabut|tarik|narik|nyabut|batal|hapus|withdraw|cancel)\w*"
)
"""What must not be done to the ticket: "jangan dicabut ya"."""
STAND_IN = "nomortiket"
"""How `normalise` spells the number of a ticket, with the kind behind it."""
VISIT_PLAN = "rencana kunjungan"
"""What "kunjungan" means to who has filed one."""


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
    NUMBER = "number"
    """To hear its number or its code once more."""
    MAY_WITHDRAW = "may_withdraw"
    """To know whether it could be withdrawn later."""
    NOTED = "noted"
    """To know whether something was noted."""
    ACCEPTED = "accepted"
    """To know whether it was granted."""
    OBJECT = "object"
    """To know what can be done where the answer is late or a refusal."""


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
    spelling = _in_clauses(text)
    if any(number.startswith(Kind.VISIT) for number in numbers):
        spelling = _pattern(r"\b{visit}").sub(VISIT_PLAN, spelling)
    words = len(spelling.split())
    if not words:
        return None
    if words <= LONGEST and _withdraws(spelling, reach):
        return Wish.MAY_WITHDRAW if _asks_whether_later(spelling) else Wish.WITHDRAW
    if words <= LONGEST_TOLD and _begins_new(spelling, reach):
        return Wish.NEW
    if words <= LONGEST_READ_BACK and _reads_back(spelling, reach):
        return Wish.NUMBER
    if words <= LONGEST_LOOK and (seen := _look(spelling, reach)):
        return seen
    if _adds(spelling, reach) or (reach is not Reach.NONE and without_announcement(text) != text.strip()):
        return Wish.NOTE
    if words <= LONGEST and _corrects(spelling, text, reach):
        return Wish.CORRECT
    if words <= LONGEST and _objects(spelling, reach):
        return Wish.OBJECT
    return _waits(spelling, text, reach) if words <= LONGEST_LOOK else None


def _in_clauses(text: str) -> str:
    """The spelling of the text with commas between its clauses: "tarik terus bikin baru" has two."""
    spelling = " , ".join(filter(None, map(normalise, re.split(r"[,;.:!?\n]+", text))))
    return re.sub(r"(?<=\w) (?:terus|lalu|kemudian|and then|then) (?=\w)", " , ", spelling)


def is_other_wish(text: str) -> bool:
    """Whether what is written for a note is wholly a wish of another kind: "cabut tiketnya", "bikin aspirasi baru"."""
    if len(normalise(text).split()) > LONGEST_IN_NOTE:
        return False
    spelling = _pattern(r"^{filler*}{changed_mind}(?: {filler})* , ").sub("", _in_clauses(text))
    if find_wish(text, Reach.LAST) is Wish.NEW or any(_pattern(alone).fullmatch(spelling) for alone in (_BARE, _ERASE_BARE)):
        return True
    return find_wish(text, Reach.AT_HAND) in (Wish.WITHDRAW, Wish.RECEIPT, Wish.NOTES, Wish.NUMBER)


def withdraws(text: str) -> bool:
    """Whether a ticket is to be withdrawn, in words that by another reading would delete data."""
    return find_wish(text, Reach.AT_HAND) is Wish.WITHDRAW


def keeps(text: str) -> bool:
    """Whether it is said what must not be done to a ticket: "gak usah dicabut, biarin"."""
    return bool(_KEEPS.search(normalise(text)))


def withdraws_that(text: str) -> bool:
    """The same of the ticket said last: "cabut aja deh"."""
    return find_wish(text, Reach.LAST) is Wish.WITHDRAW


def wants_it_spelled(text: str) -> bool:
    """Whether the number is to be said character by character."""
    return _has("spelled", normalise(text))


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
    if (colon and _telling(behind)) or without_announcement(text) != text:
        return text
    return text if len(_telling(text)) >= TELLING_WORDS and not is_question(text) else None


def without_announcement(text: str) -> str:
    """The note alone, without words that only announce it: "catatan tambahan dong: pagarnya roboh", "jumlahnya 17, tolong dicatat"."""
    said, comma, last = text.strip().rpartition(",")
    if comma and _pattern(r"(?:{filler} )*{record}(?: {filler})*").fullmatch(normalise(last)):
        return said.strip()
    head, _, behind = _ANNOUNCEMENT_ENDS.sub("\0", text.strip(), count=1).partition("\0")
    announces = _pattern(r"\b(?:{add}|{record}|{note})").search(normalise(head)) and not _telling(POLITE.sub(" ", normalise(head)))
    return behind.strip() if announces and _telling(behind) else text.strip()


def _telling(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+", normalise(text))
    return [word for word in words if word not in WISH_WORDS and not _pattern("{announcing}").fullmatch(word)]


@lru_cache(1024)
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


_BARE = r"(?:^|, ){filler*}{bare}(?: {filler})*(?= ,|$| {because})"
_ERASE_BARE = r"^{filler*}{erase}(?: {filler})*(?= ,|$| {because})"
_NOT = r"(?P<negated>\b{negation} (?:{filler} ){0,3})?"
_SHAPES: dict[str, tuple[str, ...]] = {
    "withdraw": (
        r"\b{withdraw} {filler*}{ticket}",
        r"\b{ticket} {filler~}{withdrawn}",
        r"\b{ticket} {filler~}{withdraw}(?: {filler})*(?= ,|$| {because})",
    ),
    "withdraw_that": (
        r"\b{withdraw} {filler*}{pointing}",
        r"\b{pointing} {filler*}{withdrawn}",
        _BARE,
    ),
    "withdraw_named": (
        r"\b{withdraw} {filler*}{named}",
        r"\b{named} {filler~}{withdrawn}",
        r"\b{named} {filler~}{withdraw}(?: {filler})*(?= ,|$| {because})",
    ),
    "erase": (r"\b{erase} {filler*}{ticket}", r"\b{ticket} {filler~}{erased}"),
    "erase_that": (
        r"\b{erase} {filler*}{pointing}",
        r"\b{pointing} {filler*}{erased}",
        _ERASE_BARE,
    ),
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
    if _has("elsewhere", spelling) or _KEEPS.search(spelling):
        return False
    if reach is Reach.NONE:
        return bool(_found("withdraw_named", spelling)) and not is_question(spelling)
    if _found("withdraw", spelling) or (reach is Reach.LAST and _found("withdraw_that", spelling)):
        return True
    if _has("identity", spelling) or _has("notes", spelling):
        return False
    return bool(_found("erase", spelling) or (reach is Reach.LAST and _found("erase_that", spelling)))


def _asks_whether_later(spelling: str) -> bool:
    """Whether it is asked if a withdrawal is possible at all or later on, and none is wished now."""
    return bool(_pattern(r"(?:^|, ){filler*}(?:apakah|apa)\b").search(spelling) or _has("later", spelling)) and _has("may", spelling)


def _reads_back(spelling: str, reach: Reach) -> bool:
    """Whether number or code of the ticket are to be said once more."""
    if reach is Reach.NONE or _has("elsewhere", spelling) or not _has("say_again", spelling):
        return False
    behind = r"{ticket} {filler*}(?:nomor|kode|berapa\b)"
    named = rf"\b(?:(?:nomor|kode)(?:nya|ku)? (?:berapa |apa )?{{filler*}}{{ticket}}|{behind}|{{own_number}})"
    bare = r"\b(?:nomor|kode)(?:nya)?(?! {other_number})\b"
    return bool(_pattern(named).search(spelling) or (reach is Reach.LAST and _pattern(bare).search(spelling)))


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
    noted = r"\b(?:{recorded}(?: {filler})* (?:tidak|belum)\b|(?:apakah|is|was|did) .{0,60}\b{recorded})"
    if reach is Reach.LAST and _pattern(noted).search(spelling):
        return Wish.NOTED
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
    part = r"\b(?:{change} (?:tidak )?{between*}{filler*}{filed}|{filed} {filler*}{change})"
    if reach is Reach.LAST:
        if _pattern(r"(?:^|, ){filler*}{may} {filler*}{change}(?: (?:tidak|{filler}))*(?= ,|$)").search(spelling):
            return True
        checked = is_question(text) and _pattern(r"\b{filed} (?:{filler} )*{right}(?: {filler})*(?: tidak)?(?: ,|$)").search(spelling)
        return bool(_pattern(part).search(spelling) or checked)
    if _pattern(rf"(?:^|, ){{filler*}}{part}").search(spelling) and NEW_VALUE.search(text):
        return True
    own = _pattern(r"\b(?:{filed} {mine} {filler*}{change}|{change} {filler*}{filed} {mine})").search(spelling)
    return bool(own and NEW_VALUE.search(text))


def _objects(spelling: str, reach: Reach) -> bool:
    """Whether it is asked what to do where there is no answer, or a refusal."""
    if _has("elsewhere", spelling) or not _has("unmet", spelling) or _has("beyond_objecting", spelling):
        return False
    if reach is Reach.LAST and (_has("if", spelling) or _has("what_to_do", spelling)):
        return True
    return _has("information_request", spelling) and _has("what_to_do", spelling) and "keberatan" not in spelling


def _waits(spelling: str, text: str, reach: Reach) -> Wish | None:
    if _has("elsewhere", spelling) or reach is Reach.NONE:
        return None
    if reach is Reach.LAST and _pattern(r"(?:{filler} )*{check}(?: {filler})*").fullmatch(spelling):
        return Wish.STATUS
    near = reach is Reach.LAST or _pattern(r"\b(?:{ticket} (?:{mine}|tadi)|my {ticket}|nomortiket\w*)").search(spelling)
    near = near or _pattern(r"(?:(?:{filler}|{asking}|{when}|{answered}) ?)+").fullmatch(spelling)
    if near and _has("when", spelling) and _has("answered", spelling):
        return Wish.DUE
    how_long = r"(?:(?:{filler}|{remaining}) )*{when}(?: (?:{filler}|{remaining}))*"
    if reach is Reach.LAST and _pattern(how_long).fullmatch(spelling):
        return Wish.DUE
    granted = r"(?:(?:{filler}|{asking}|{ticket}) )*{accepted}(?: (?:{filler}|{asking}))*"
    if _pattern(granted).fullmatch(spelling) and (_has("asking", spelling) or text.rstrip().endswith("?")):
        return Wish.ACCEPTED
    near = near or _pattern(r"(?:(?:{filler}|{asking}) )*{status}(?: (?:{filler}|{asking}))*").fullmatch(spelling)
    if near and _has("status", spelling) and not _has("status_meaning", spelling) and len(spelling.split()) <= LONGEST_IN_NOTE:
        return Wish.STATUS
    return None
