"""Finds personal data in a message and masks it, before a tracker, a log or a person sees the message.

Patterns follow what the numbers are made of: a NIK carries a province and a birth date, an NIP a birth date and an appointment
month, a card number a Luhn digit. Ticket, SIMPEL and letter numbers are set aside first and never masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count


class Kind(StrEnum):
    EMAIL = "email"
    NIP = "nip"
    NIK = "nik"
    NPWP = "npwp"
    CARD = "kartu"
    PHONE = "telepon"
    PASSPORT = "paspor"
    ACCOUNT = "rekening"


@dataclass(frozen=True)
class Masked:
    """`text` with each personal value replaced by `[kind]`; `found` lists what was replaced, in order."""

    text: str
    found: list[tuple[Kind, str]] = field(default_factory=list)


KEPT = re.compile(
    r"""\b(?:
        (?:ASP|PIP|KEB|KUN|MAG)[\s-]{0,3}\d{8}[\s-]{0,3}[0-9A-Z]{4,8}
      | DEMO[\s-]{0,3}SMP[\s-]{0,3}\d{1,6}
      | [A-Z]{1,3}\s?-\s?\d{1,6}(?:\s?/\s?[A-Z0-9.-]{1,20}){2,6}
      | \d{1,5}(?:\s?/\s?[A-Z0-9.-]{1,20}){2,6}
      | [0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
PROVINCES = (
    frozenset(range(11, 22))
    | frozenset(range(31, 37))
    | {51, 52, 53}
    | frozenset(range(61, 66))
    | frozenset(range(71, 77))
    | {81, 82, 91, 92, 93, 94, 95, 96, 97}
)
_DIGITS = r"\d(?:[ .-]?\d)"


def _digits(value: str) -> str:
    return re.sub(r"\D", "", value)


def _is_day(day: int, month: int) -> bool:
    return 1 <= day <= 31 and 1 <= month <= 12


def _is_nik(value: str) -> bool:
    digits = _digits(value)
    day = int(digits[6:8])
    return int(digits[:2]) in PROVINCES and _is_day(day - 40 if day > 40 else day, int(digits[8:10]))


def _is_nip(value: str) -> bool:
    digits = _digits(value)
    return digits[:2] in ("19", "20") and _is_day(int(digits[6:8]), int(digits[4:6])) and 1 <= int(digits[12:14]) <= 12


def _passes_luhn(value: str) -> bool:
    digits = [int(d) for d in reversed(_digits(value))]
    return sum(digits[::2]) % 10 == -sum(sum(divmod(2 * d, 10)) for d in digits[1::2]) % 10


def _always(value: str) -> bool:
    return True


_RULES: list[tuple[Kind, re.Pattern[str], Callable[[str], bool], int]] = [
    # kind, pattern, check, group that is masked
    (Kind.EMAIL, re.compile(r"[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"), _always, 0),
    (Kind.NIP, re.compile(rf"(?<![\d/]){_DIGITS}{{17}}(?![\d/])"), _is_nip, 0),
    (Kind.NPWP, re.compile(r"(?<!\d)\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}(?!\d)"), _always, 0),
    (Kind.NIK, re.compile(rf"(?<![\d/]){_DIGITS}{{15}}(?![\d/])"), _is_nik, 0),
    (Kind.CARD, re.compile(rf"(?<![\d/]){_DIGITS}{{12,18}}(?![\d/])"), _passes_luhn, 0),
    (Kind.NIK, re.compile(rf"(?<![\d/]){_DIGITS}{{15}}(?![\d/])"), _always, 0),
    (Kind.PHONE, re.compile(r"(?<![\d/])(?:\+?\s?62|0)[ .-]?8\d(?:[ .-]?\d){6,11}(?![\d/])"), _always, 0),
    (Kind.PHONE, re.compile(r"(?<![\d/+])\+\d{1,3}(?:[ .-]?\d){7,12}(?![\d/])"), _always, 0),
    (Kind.NPWP, re.compile(r"(?<!\[)\bNPWP\D{0,12}?(\d(?:[ .-]?\d){14,15})(?!\d)", re.IGNORECASE), _always, 1),
    (Kind.PASSPORT, re.compile(r"(?<![\w/-])[A-Za-z]{1,2}\s?\d{6,7}(?![\w/-])"), _always, 0),
    (
        Kind.ACCOUNT,
        re.compile(r"(?<!\[)\b(?:rekening|rek|kartu|akun bank|account)\b\D{0,25}?(\d(?:[ .-]?\d){8,17})(?!\d)", re.IGNORECASE),
        _always,
        1,
    ),
    (Kind.ACCOUNT, re.compile(r"(?<![\d/])\d{10,20}(?![\d/])"), _always, 0),
]


def mask(text: str) -> Masked:
    """Replace personal values by `[kind]`. Linear in the length of `text`: every pattern is bounded."""
    kept: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\x00{len(kept) - 1}\x01"

    masked, before = KEPT.sub(set_aside, text.replace("\x00", "")), None
    found: list[tuple[Kind, str]] = []
    while masked != before:  # what one value hid by standing beside it is found once that value is gone
        before = masked
        masked = _replace_values(masked, found)
    numbers = count()
    masked = re.sub(r"\x00\d+\x01", lambda _: kept[next(numbers)], masked)
    return Masked(masked, found)


def _replace_values(text: str, found: list[tuple[Kind, str]]) -> str:
    """`text` after each rule has replaced its values once; they are added to `found`."""
    for kind, pattern, check, group in _RULES:

        def replace(match: re.Match[str], kind: Kind = kind, check: Callable[[str], bool] = check, group: int = group) -> str:
            value = match.group(group)
            if not check(value):
                return match.group()
            found.append((kind, value))
            return match.group().replace(value, f"[{kind}]")

        text = pattern.sub(replace, text)
    return text


def contains_personal_data(text: str) -> bool:
    return bool(mask(text).found)
