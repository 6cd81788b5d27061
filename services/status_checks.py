"""The two forms that ask for a number and an access code. Both are proof, so neither is kept after the answer.

Only where they don't belong together the number is kept, encrypted like any unfinished form, so that the code can be tried again.
"""

from __future__ import annotations

import re
from typing import Any

from services import fields, simpel, tickets
from services.fields import Field, Rejection
from services.journeys import Journey
from services.spelling import normalise


def _simpel_in(message: str) -> dict[str, Any]:
    if tickets.normalise_number(message):
        return {}
    number = simpel.find_number(message)
    if number is None:
        return _code_in(message) if re.search("[A-Za-z]", message) else {}
    between, _ = _around_the_second(message, number)  # the code of a second request is not this one's
    code = tickets.normalise_code(between) or tickets.normalise_code(message.replace(number, " "))
    return {"number": simpel.normalise_number(number)} | ({"code": code} if code else {})


def holds_another(message: str) -> bool:
    """Whether a second request with its code stands behind the first one."""
    number = simpel.find_number(message)
    return number is not None and tickets.normalise_code(_around_the_second(message, number)[1]) is not None


def _around_the_second(message: str, first: str) -> tuple[str, str]:
    """What stands between the `first` request number and the second one, and behind that; nothing where there is no second."""
    rest = message.partition(first)[2]
    second = simpel.find_number(rest)
    between, _, behind = rest.partition(second) if second else ("", "", "")
    return between, behind


def _ticket_in(message: str) -> dict[str, Any]:
    number = tickets.normalise_number(message)
    if number is None:
        return _code_in(message)
    code = tickets.normalise_code(tickets.without_number(message))
    return {"number": number} | ({"code": code} if code else {})


def _code_in(message: str) -> dict[str, Any]:
    """The code of a message that holds nothing else, or calls it so."""
    code = tickets.named_code(message) or _code_alone_in(message)
    return {"code": code} if code else {}


def _code_alone_in(message: str) -> str | None:
    has_word = any(part.isalpha() and len(part) > LONGEST_LETTERS for part in message.split())  # "3-4 hari"
    alone = len(re.sub(r"[\s-]", "", message)) == tickets.CODE_LENGTH and not has_word
    return tickets.normalise_code(message) if alone else None


def is_code_alone(message: str) -> bool:
    """Whether a message outside a form is nothing but a code of letters and digits."""
    return bool(re.search("[A-Za-z]", message) and _code_alone_in(message.strip()))


def _code_twice(given: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """A second message of six characters is the number, which may look like a code."""
    return {"number": found["code"]} if "code" in given and "number" not in given and found.keys() == {"code"} else found


def _code_again(message: str) -> dict[str, Any]:
    """The code of a short message, as in "maaf, harusnya 4ZD8KF"; a longer one tells something."""
    if len(message.split()) > LONGEST_CODE or not re.search(r"\d", message):
        return {}
    number = simpel.find_number(message)
    if (number and not tickets.normalise_code(number)) or tickets.normalise_number(message):
        return {}  # another errand, or the same one with its number
    code = fields.access_code(message)
    return {} if isinstance(code, Rejection) else {"code": code}


def _simpel_code(message: str) -> str | Rejection:
    return fields.NO_CODE if tickets.normalise_number(message) else fields.access_code(message)


def _ticket_code(message: str) -> str | Rejection:
    return fields.NO_CODE if simpel.known_number(message) else fields.access_code(message)


LONGEST_CODE = 4
"""In words."""
LONGEST_LETTERS = 3
"""Letters in a row that a code written in groups may have: "4ZD 8KF"."""
_CODE = re.compile(r"(?<![A-Za-z0-9-])(?=[A-Za-z]*\d)[0-9A-Za-z]{6}(?![A-Za-z0-9-])")
SIMPEL = Journey(
    name="simpel",
    opened_by="check_simpel_status",
    cancelled="utter_stopped_here",
    resumed="utter_number_kept",
    topics=("simpel", "pelindungan_data", "tentang_asisten"),
    confirm=False,
    prefill=_simpel_in,
    given_anew=_code_twice,
    tried_again=_code_again,
    fields=(
        Field("number", fields.simpel_number, personal=True, label="nomor SIMPEL", lost="utter_simpel_number_lost"),
        Field("code", _simpel_code, personal=True, label="kode akses", lost="utter_simpel_code_lost"),
    ),
)
TICKET = Journey(
    name="ticket",
    opened_by="check_ticket_status",
    cancelled="utter_stopped_here",
    resumed="utter_number_kept",
    topics=("kanal_aspirasi", "keterbukaan_informasi", "tentang_asisten"),
    confirm=False,
    prefill=_ticket_in,
    tried_again=_code_again,
    fields=(
        Field("number", fields.ticket_number, lost="utter_ticket_number_lost"),
        Field("code", _ticket_code, personal=True, label="kode akses", lost="utter_ticket_code_lost"),
    ),
)


def mask_factors(message: str) -> str:
    """The message without SIMPEL numbers and access codes, for tracker and log."""
    number = simpel.find_number(message)
    if number and tickets.normalise_number(number) is None:
        message = message.replace(number, "[nomor SIMPEL]")
    if number is None and tickets.normalise_number(message) is None and not tickets.NAMED_CODE.search(message):
        return message
    message = _CODE.sub("[kode akses]", message)
    return tickets.NAMED_CODE.sub(lambda m: f"{m[1]}{m[2]}[kode akses]" if re.search(r"\d", m[3]) else m[0], message)


_STATUS_ALONE = re.compile(r"(?:(?:mau|cek|check|lihat|tanya|my|saya|dong|status(?:nya)?|permohonan|pengajuan|berkas)\s*)+")
_OTHERS = (
    r"dosen|dirjen|teman|rekan|kolega|atasan|bos|boss|suami|istri|adik|kakak|rektor|dekan|menteri|gubernur|bupati|walikota"
    r"|kepala dinas|pejabat|direktur|anak buah|staf|mahasiswa|pegawai lain|orang lain"
    r"|friend|colleague|lecturer|husband|wife|somebody else|someone else"
)
_OWNED_BY = r"punya(?:nya)?|milik(?:nya)?|atas nama|a\.?n\.?|buat|untuk|status(?:nya)?|berkas(?:nya)?|of|for"
_BETWEEN = r"si|sp|simpel|pdln|izin(?:nya)?|pengajuan(?:nya)?|permohonan(?:nya)?|pak|bu|bapak|ibu|my|our|a|the"
_SOMEONE_ELSE = re.compile(
    rf"\b(?:{_OWNED_BY})\s+(?:(?:{_BETWEEN})\s+)*(?:{_OTHERS})\b"
    r"|\b(?:punya|milik|atas nama)\s+(?:pak|bu|bapak|ibu|mas|mbak|prof|dr)\b"
    rf"|\b(?:{_OTHERS})'s\s+(?:status|simpel|sp|permit|request)\b",
    re.IGNORECASE,
)


def is_status_alone(message: str) -> bool:
    """Whether the message asks for a status without a word on which."""
    spelling = re.sub(r"[?!]", "", normalise(message)).strip()
    return "status" in spelling and bool(_STATUS_ALONE.fullmatch(spelling))


def is_for_someone_else(message: str) -> bool:
    """Whether the status of another person's request is asked for, which nobody gets, number or not."""
    return bool(_SOMEONE_ELSE.search(message))
