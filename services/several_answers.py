"""Several answers in one message: "nama: Budi, alamat: …", "Budi, Jl. Mawar 5 Bandung, budi@contoh.id", "salinan lewat email".

Only what can't be meant otherwise is taken; the form asks for the rest as ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from services.field_names import FIELD_WORDS
from services.fields import Choice, Field, Rejection, without_personal_data

_ONESELF = re.compile(
    r"(?:(?:dengan|ya|ini)\s)?(?:(?:saya|aku|gue|gw|abdi|kula)(?:\s(?:sendiri|pribadi))?|sendiri|myself|me)", re.IGNORECASE
)
_NEVER_ALONG = frozenset(("text", "details", "statement", "purpose", "wish", "policy", "place", "theme", "topic"))
"""Fields whose names also begin what is told of something else: "RUU Desa, desa kami tertinggal"."""
PERSON = ("name", "address", "contact")


def read(all_fields: Sequence[Field], asked: Field, message: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Values by field name, where `message` holds those of two fields or more and the asked one is among them."""
    missing = [field for field in all_fields if (field.name not in fields or field is asked) and field.when(fields)]
    for find in (_labelled, _of_a_person, _choices, _in_a_row):
        found = {name: value for name, value in find(missing, asked, message).items() if not isinstance(value, Rejection)}
        if len(found) >= 2 and asked.name in found:
            return found
    return {}


def _labelled(missing: list[Field], asked: Field, message: str) -> dict[str, Any]:
    """What stands behind a field's own name and a colon, up to the next name."""
    by_word = {word: field for field in missing for word in FIELD_WORDS.get(field.name, ())}
    if not by_word:
        return {}
    names = "|".join(re.escape(word) for word in sorted(by_word, key=len, reverse=True))
    label = re.compile(rf"(?:^|[\s,;.])({names})(?:\s+(?:saya|lengkap|saya adalah))?\s*[:=]\s*", re.IGNORECASE)
    parts = label.split(message.replace("ſ", "s").replace("İ", "I"))  # which match without regard to case, and lower to others
    found: dict[str, Any] = {}
    for word, value in zip(parts[1::2], parts[2::2], strict=True):
        field = by_word[word.lower()]
        found.setdefault(field.name, field.check(value.strip(" \n,;.")))
    return found


def _in_a_row(missing: list[Field], asked: Field, message: str) -> dict[str, Any]:
    """The asked answer, and behind commas others by their names or by their form: "teknik informatika, semester 6"."""
    parts = [part.strip(" .") for part in re.split(r",\s|[;\n]", message) if part.strip(" .")]
    others = [field for field in missing if field is not asked and field.name not in _NEVER_ALONG]
    if not parts:
        return {}
    found: dict[str, Any] = {asked.name: asked.check(parts[0])}
    for part in parts[1:]:
        given = next((one for field in others if field.name not in found and (one := _along(field, part))), None)
        if given is None:
            return {}
        found.update(given)
    return found


def _along(field: Field, part: str) -> dict[str, Any]:
    """The value of a field that a part of a message names, or that has the form of a day."""
    names = "|".join(sorted(map(re.escape, FIELD_WORDS.get(field.name, ())), key=len, reverse=True)) or "(?!)"
    named = re.fullmatch(rf"(?:{names})(?:nya|ku|ne)?\s*[:=]?\s(?P<value>.+)", part, re.IGNORECASE)
    if named is None and not field.name.endswith("date"):
        return {}
    value = field.check(named["value"] if named else part)
    return {} if isinstance(value, Rejection) else {field.name: value}


def _of_a_person(missing: list[Field], asked: Field, message: str) -> dict[str, Any]:
    """Name, address and contact in a row, of which the contact is known by its form."""
    by_name = {field.name: field for field in missing if field.name in PERSON}
    if asked.name not in by_name or "contact" not in by_name:
        return {}
    contact = by_name["contact"].check(message)
    rest = without_personal_data(message)  # the contact, and numbers that nobody asked for
    parts = [part.strip() for part in re.split(r"[,;\n]+", rest) if part.strip(" .:-") and not _ONESELF.fullmatch(part.strip())]
    found: dict[str, Any] = {"contact": contact}
    if asked.name == "name" and parts:
        found["name"] = by_name["name"].check(parts[0])
        if "address" in by_name and len(parts) > 1:
            found["address"] = by_name["address"].check(", ".join(parts[1:]))
    elif asked.name == "address":
        found["address"] = by_name["address"].check(", ".join(parts))
    return found


def _choices(missing: list[Field], asked: Field, message: str) -> dict[str, Any]:
    """Choices named in one sentence, from the asked one on to the first field that is no choice."""
    found: dict[str, Any] = {}
    for field in missing[missing.index(asked) :] if asked in missing else []:
        if not isinstance(field.check, Choice):
            break
        value = field.check.named(message)
        if value is None:
            break
        found[field.name] = value
    return found
