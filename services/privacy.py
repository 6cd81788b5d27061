"""Finds personal data in a message and masks it, before a tracker, a log or a person sees the message.

Patterns follow what the numbers are made of: a NIK carries a province and a birth date (day + 40 for women), an NIP a birth date
and an appointment month (or 21 to 29, under a work agreement), a card number a Luhn digit. Ticket, SIMPEL and letter numbers are set
aside first and never masked; sums of money, times and numbers of orders are told from accounts by the words before them.
`tests/personal_data.csv` holds labelled cases of both kinds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from services.contact_reading import NUMBER_WORDS


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
    r"""(?<![\w@]) (?:
        (?P<ours>(?:ASP|PIP|KEB|KUN|MAG)[\s-]{0,3}\d{8}[\s-]{0,3}[0-9A-Z]{4,8} \b
      | DEMO[\s-]{0,3}SMP[\s-]{0,3}\d{1,6} \b
      | [0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12} \b)
      | [A-Z]{1,3}\s?-\s?\d{1,6}(?:\s?/\s?[A-Z0-9.-]{1,20}){2,6} \b
      | (?:INV|TRX)(?:/[A-Z0-9]{1,20}){2,6} \b
      | \d{1,5}(?:\s?/\s?[A-Z0-9.-]{1,20}){2,6} \b
      | (?:ppid|humas|info|pengaduan|layanan|kontak|persuratan|sekretariat|webmaster)@(?:[a-z0-9-]{1,40}\.){1,4}go\.id \b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Numbers and addresses that belong to no person. A letter number may not hide one that does: see `_may_be_kept`."""
PROVINCES = (
    frozenset(range(11, 22))
    | frozenset(range(31, 37))
    | {51, 52, 53}
    | frozenset(range(61, 66))
    | frozenset(range(71, 77))
    | {81, 82, 91, 92, 93, 94, 95, 96, 97}
)
GAP = r"(?:[\s._–—-]{1,3})?"
"""What stands between the digits of one number."""
PHONE_GAP = r"(?:[\s.,_–—-]{1,3}|\)\s?)?"
SAID_GAP = r"\s{0,2}(?:,|/|\b(?:lalu|terus|kemudian|lanjut|strip|spasi|titik|dash|then|sambung)\b|[.:;_–—-])?\s{0,2}"
"""The same where a word has said that a number follows, with what people say between its parts."""
ORDERS = re.compile(
    r"\b(?:pesanan|order|invoice|resi|tracking|booking|barcode|isbn|agenda|seri|billing|tagihan|antrean|doi|npsn|registrasi"
    r"|register|laporan|tiket|ticket|surat|ref|referensi|transaksi)\b\W{0,3}(?:[a-z]{1,12}\b\W{1,3}|[A-Z]{2})?$",
    re.IGNORECASE,
)
MONEY = re.compile(r"(?:\b(?:rp|idr|usd|sgd|apbn|apbd|sebesar|senilai)|[$€£])\W{0,3}$", re.IGNORECASE)
MONEY_AFTER = re.compile(r"[.,\d]{0,4}\s?(?:rupiah|rb|ribu|juta|jt|miliar|milyar|triliun|perak|jiwa|orang)\b", re.IGNORECASE)
NO_PASSPORTS = frozenset("rp no ke di km uu pp sk se rt rw id kg cm hp wa ke kv ny tn yg dr jl".split())
"""Two letters before a number that are a word."""


def _digits(value: str) -> str:
    return re.sub(r"\D", "", value)


def _is_day(day: int, month: int) -> bool:
    return 1 <= day <= 31 and 1 <= month <= 12


def _is_nik(value: str) -> bool:
    digits = _digits(value)
    day, month = int(digits[6:8]), int(digits[8:10])
    return int(digits[:2]) in PROVINCES and (_is_day(day, month) or _is_day(day - 40, month))


def _is_nip(value: str) -> bool:
    digits = _digits(value)
    appointed = int(digits[12:14])
    return (
        int(digits[:2]) in (19, 20) and _is_day(int(digits[6:8]), int(digits[4:6])) and (1 <= appointed <= 12 or 21 <= appointed <= 29)
    )


def _passes_luhn(value: str) -> bool:
    digits = [int(d) for d in reversed(_digits(value))]
    return sum(digits[::2]) % 10 == -sum(sum(divmod(2 * d, 10)) for d in digits[1::2]) % 10


def _groups(value: str) -> list[int]:
    return [len(group) for group in re.findall(r"\d+", value)]


def _is_years(value: str) -> bool:
    return all(re.fullmatch(r"(?:19|20)\d\d", group) for group in re.findall(r"\d+", value))


def _is_money(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 12) : match.start()]
    return bool(MONEY.search(before) or MONEY_AFTER.match(match.string, match.end()))


def _always(_match: re.Match[str]) -> bool:
    return True


def _nip(match: re.Match[str]) -> bool:
    return _is_nip(match[0]) and not _is_money(match)


def _nik(match: re.Match[str]) -> bool:
    if re.match(r"\d{1,3}\.\d{4,}\s-?\d{1,3}\.\d{4,}$", match[0]):
        return False  # latitude and longitude
    return _is_nik(match[0]) and not _is_money(match)


def _card(match: re.Match[str]) -> bool:
    """Luhn, written as cards are: in one, by fours, as on an American Express, or digit by digit."""
    groups = _groups(match[0])
    fours = all(group == 4 for group in groups[:-1]) and groups[-1] <= 4
    if re.match(r"(?:62|0)8[1-9]\d{6,11}$", _digits(match[0])):
        return False  # a phone number
    in_groups = len(groups) == 1 or fours or groups in ([4, 6, 5], [4, 6, 4]) or set(groups) == {1}
    return in_groups and _passes_luhn(match[0]) and not _is_years(match[0]) and not _stands_for_something_else(match)


def _sixteen(match: re.Match[str]) -> bool:
    """Sixteen digits that are no NIK: one that was mistyped, or a card that was."""
    one_or_fours = _groups(match[0]) in ([16], [4, 4, 4, 4])
    return one_or_fours and not _is_years(match[0]) and not _stands_for_something_else(match)


def _phone(match: re.Match[str]) -> bool:
    """A mobile number, and not a day with its time, a span of hours or a decimal fraction that look like one."""
    is_day = re.match(r"0?8[\s./-]\d{1,2}[\s./-](?:19|20)\d\d\b", match[0])
    is_hours = re.match(r"0?8[.:]\d\d\s?[–-]\s?\d\d[.:]?\d\d\b", match[0])
    is_fraction = re.fullmatch(r"0[.,]\d+", match[0])
    return not (is_day or is_hours or is_fraction or _is_money(match))


def _passport(match: re.Match[str]) -> bool:
    return match[1].lower() not in NO_PASSPORTS


def _stands_for_something_else(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 40) : match.start()]
    return _is_money(match) or bool(ORDERS.search(before))


def _account(match: re.Match[str]) -> bool:
    """Ten digits or more in one, for which the words before have no other meaning, and no day with a time."""
    is_moment = re.fullmatch(r"20\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?", match[0])
    return not is_moment and not _stands_for_something_else(match)


def _spelled(match: re.Match[str]) -> bool:
    """Ten digits said as words, or nine where they begin as a phone number does. Counting to ten is neither."""
    said = re.findall(rf"{NUMBER_WORDS}|\d", match[0].lower())
    starts = re.match(r"(?:nol|kosong|zero|oh)\W+(?:de)?(?:lapan|eight)|enam\W+dua\W+(?:de)?lapan|six\W+two\W+eight", match[0].lower())
    has_words = len(re.findall(NUMBER_WORDS, match[0].lower())) >= 3
    return has_words and len(said) >= (9 if starts else 10)


def _after(words: str, between: int, digits: str) -> re.Pattern[str]:
    """A number that is personal because of the word before it; group 1 is the number."""
    return re.compile(rf"(?<!\[)\b(?:{words})[^\d\[\n]{{0,{between}}}?({digits})(?!\d)", re.IGNORECASE)


_AT = r"\s?(?:@|[(\[]at[)\]])\s?"
_DOT = r"(?:\s?\.\s?|,|\s?[(\[](?:dot|titik)[)\]]\s?|\s(?:dot|titik)\s)"
_ENDS = "com|kom|net|org|id|co|edu|gov|me|my|info|io|web"
_LOCAL = r"[\w.+-]{1,64}(?:\s(?:dot|titik|underscore|strip)\s[\w.+-]{1,30}){0,2}"
_FREE = "gmail|gmil|gmai|yahoo|ymail|hotmail|outlook|icloud|proton"
_RULES: list[tuple[Kind, re.Pattern[str], Callable[[re.Match[str]], bool], int]] = [
    # kind, pattern, check, group that is masked
    (Kind.EMAIL, re.compile(r"[\w.+-]{1,64}@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"), _always, 0),
    (
        Kind.EMAIL,
        re.compile(rf"[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{2,63}}){{0,3}}{_DOT}(?:{_ENDS})\b", re.IGNORECASE),
        _always,
        0,
    ),
    (Kind.EMAIL, re.compile(rf"[\w.+-]{{1,64}}\s?@\s?(?:{_FREE})(?:[\s.,]?(?:com|co[\s.,]id))?\b", re.IGNORECASE), _always, 0),
    (Kind.EMAIL, re.compile(rf"{_LOCAL}\s(?:at|et)\s(?:{_FREE})(?:{_DOT}(?:{_ENDS})){{0,2}}\b", re.IGNORECASE), _always, 0),
    (
        Kind.EMAIL,
        re.compile(
            rf"{_LOCAL}\s(?:at|et)\s[\w-]{{2,40}}(?:\s(?:dot|titik)\s[\w-]{{2,20}}){{0,3}}\s(?:dot|titik)\s(?:{_ENDS})\b", re.I
        ),
        _always,
        0,
    ),
    (Kind.NIP, re.compile(rf"(?<!\d)\d(?:{GAP}\d){{17}}(?!\d)"), _nip, 0),
    (Kind.NPWP, re.compile(r"(?<!\d)\d{2}[.\s-]\d{3}[.\s-]\d{3}[.\s-]\d[.\s-]\d{3}[.\s-]\d{3}(?!\d)"), _always, 0),
    (Kind.NIK, re.compile(rf"(?<!\d)\d(?:{GAP}\d){{15}}(?!\d)"), _nik, 0),
    *((Kind.CARD, re.compile(rf"(?<!\d)\d(?:[ .-]?\d){{{n - 1}}}(?!\d)"), _card, 0) for n in range(19, 12, -1)),
    (Kind.NIK, re.compile(r"(?<!\d)\d(?:[ .-]?\d){15}(?!\d)"), _sixteen, 0),
    (
        Kind.NIK,
        _after("nik|k\\.?t\\.?p|kk|kartu keluarga|induk kependudukan|nomor identitas|national id", 25, rf"\d(?:{SAID_GAP}\d){{15}}"),
        _always,
        1,
    ),
    (Kind.PHONE, re.compile(r"wa\.me/\+?\d{8,15}"), _always, 0),
    (
        Kind.PHONE,
        re.compile(
            rf"(?<!\d)(?:(?:\(\+?62\)|(?:\+\s?|00)?62){GAP}(?:\(0\))?\(?|\(0(?=8\d{{2,3}}\))|0{GAP}|(?<!\w)[Oo])"
            rf"8{PHONE_GAP}[1-9](?:{PHONE_GAP}\d){{6,10}}(?!\d)"
        ),
        _phone,
        0,
    ),
    (Kind.PHONE, re.compile(r"(?<!\d)08[1-9]\d{1,2}/\d{3,4}/\d{3,5}(?![\d/])"), _always, 0),
    (Kind.PHONE, re.compile(r"(?<![\d/+])\+\d{1,3}(?:[ .-]?\(?\d\)?){7,12}(?!\d)"), _always, 0),
    (
        Kind.PHONE,
        _after("hp|hape|wa|whats\\s?app|telp|tlp|telepon|phone|handphone", 12, r"8[1-9]\d[ .-]?\d{3,4}[ .-]?\d{3,5}"),
        _always,
        1,
    ),
    (Kind.PHONE, _after("rumah(?: saya)?", 15, r"\(?0\d{2,3}\)?[ .-]{0,2}\d{3,4}[ .-]?\d{2,5}"), _always, 1),
    (
        Kind.PHONE,
        re.compile(rf"\b(?:plus\W{{1,2}})?(?:{NUMBER_WORDS})(?:[^\w\x00]{{1,3}}(?:{NUMBER_WORDS}|\d)(?!\w)){{8,19}}", re.IGNORECASE),
        _spelled,
        0,
    ),
    (Kind.NPWP, _after("NPWP(?:\\s?1[56])?|wajib pajak", 15, rf"\d(?:{GAP}\d){{14,15}}"), _always, 1),
    (Kind.PASSPORT, re.compile(r"(?<![\w/-])([A-Za-z]{1,2})\s?\d{6,7}(?![\w/-])"), _passport, 0),
    (
        Kind.PASSPORT,
        _after("paspor|passport|pasport", 25, r"(?<![A-Za-z0-9])[A-Za-z]{1,2}[\s-]?\d{6,8}[A-Za-z]?(?![A-Za-z0-9])"),
        _always,
        1,
    ),
    (
        Kind.ACCOUNT,
        _after("rekening|no\\.?rek|rek|kartu|bpjs|akun bank|account|va|bank", 25, rf"\d(?:{GAP}\d){{8,17}}"),
        lambda match: not _is_money(match),
        1,
    ),
    (Kind.ACCOUNT, re.compile(r"(?<![\d/.,])\d{10,20}(?![\d/])(?![.,]\d)"), _account, 0),
]


def _may_be_kept(match: re.Match[str]) -> bool:
    """Whether what looks like a letter number hides no number of a person: a long one, or a phone number between slashes."""
    if match["ours"]:
        return True
    whole = match[0]
    long = re.search(r"\d(?:[.-]?\d){9,}", whole) and not whole.upper().startswith(("INV", "TRX"))
    return not long and not re.match(r"0?8[1-9]\d{1,2}\s?/\s?\d{3,4}\s?/\s?\d{3,5}$", whole)


_MAY_HOLD_ANY = re.compile(r"\d|@|[(\[]at[)\]]|\s(?:at|et)\s|\b(?:" + NUMBER_WORDS + r")\b", re.IGNORECASE)


def mask(text: str) -> Masked:
    """Replace personal values by `[kind]`. Linear in the length of `text`: every pattern is bounded."""
    text = text.replace("\x00", "")  # it marks what is set aside
    if not _MAY_HOLD_ANY.search(text):
        return Masked(text)
    kept: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        if not _may_be_kept(match):
            return match[0]
        kept.append(match.group())
        return f"\x00{len(kept) - 1}\x01"

    masked, before = KEPT.sub(set_aside, text), None
    found: list[tuple[Kind, str]] = []
    while masked != before:  # what one value hid by standing beside it is found once that value is gone
        before = masked
        masked = _replace_values(masked, found)
    return Masked(re.sub(r"\x00(\d+)\x01", lambda match: kept[int(match[1])], masked), found)


def _replace_values(text: str, found: list[tuple[Kind, str]]) -> str:
    """`text` after each rule has replaced its values once; they are added to `found`."""
    for kind, pattern, check, group in _RULES:

        def replace(
            match: re.Match[str], kind: Kind = kind, check: Callable[[re.Match[str]], bool] = check, group: int = group
        ) -> str:
            value = match.group(group)
            if not check(match):
                return match.group()
            found.append((kind, value))
            return match.group().replace(value, f"[{kind}]")

        text = pattern.sub(replace, text)
    return text


def contains_personal_data(text: str) -> bool:
    return bool(mask(text).found)
