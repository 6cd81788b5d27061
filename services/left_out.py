"""What a citizen would rather not say in a form: an answer that may stay empty, a name that is to be taken out again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from services.field_names import FIELD_WORDS
from services.fields import Field
from services.spelling import normalise

WITHDRAWAL_WORDS = 8
"""A longer message that says "hapus" or "tanpa" is telling something."""
DECLINING_WORDS = 12
_SHOWN = r"(?:di)?(?:pakai|pake|sebut\w*|cantum\w*|tulis\w*|masuk\w*|tampil\w*|lihat\w*|publikasi\w*)"
_WITHDRAWS = re.compile(
    r"(?<!jangan )(?<!tidak )(?<!don't )(?<!not )"
    rf"\b(?:(?:jangan|tidak (?:usah|perlu)|gausah) {_SHOWN}|hapus|hilangkan|buang|rahasiakan|sembunyikan|tanpa|remove|without|hide"
    r"|don't (?:use|include|show)|leave out)\b"
)
_IS_WITHDRAWN = re.compile(
    rf"\s*(?:(?:saya|aku|kami|itu|tadi|mau|ingin|tolong|sebaiknya|mending) )*(?:(?:jangan|tidak (?:usah|perlu)|gausah) {_SHOWN}"
    r"|(?:di)?(?:hapus|hilangkan|hilangin|kosongkan|kosongin|buang|rahasiakan|rahasiain|sembunyikan|sembunyiin))\b"
)
"""Behind the word for an answer: "namanya jangan dicantumin"."""
_DOES_NOT_KNOW = re.compile(
    r"(?:(?:saya|maaf|ya|wah|hm|i) )*"
    r"(?:(?:tidak|kurang|belum) (?:tahu|tau|yakin|paham)|entah(?:lah)?|terserah|don't know|no idea|not sure)"
    r"(?: (?:saja|juga|deh|kak|pak|bu|min|sih|ya|anda|nak|i))*[.!]?"
)
_NEGATION = (
    r"(?:gamau|gakmau|nggamau|ogah"
    r"|tidak|jangan|gausah|teu|henteu|ora|mboten|seng|indak|ndak|nda|tra|emoh|moh|no|not|don't|dont|i'd rather not)"
)
_GIVING = (
    r"(?:mau|ingin|usah|perlu|kedah|kas|kasih|beri|memberi\w*|bagi|sebut\w*|menyebut\w*|pakai|pake|tulis|menulis|isi|punya|duwe|gaduh|boga"
    r"|aya|ada|cantum\w*|berani|tahu|tau|mudeng|say|want|have|need|give|use)"
)
_DECLINES = re.compile(rf"\b(?:{_NEGATION}\b(?:\s+\w+)?\s+{_GIVING}|teu apa)\b")
_FILLING = re.compile(
    rf"\b(?:{_NEGATION}|{_GIVING}|saya|aku|kami|beta|kulo|abdi|saja|juga|deh|kak|pak|bu|min|bang|nak|iya|sih|itu|yang|lain"
    r"|khusus|apa|apa apa|dulu"
    r"|mah|atuh|we|wae|ka|to|any|i|my|it|kebijakan|daerah|nama|kontak|the)\b"
)
_NAMELESS = re.compile(
    r"[,;]?\s{0,3}\b(?:(?:and|dan|terus|tapi|i said|i want to be|saya mau|mau)\s+)?"
    r"(?:please\s+|tolong\s+|secara\s+)?(?:anonim\w*|anonymous(?:ly)?)"
    r"(?:\s+please| aja| saja| ya)?",
    re.IGNORECASE,
)
_STAYS_NAMED = re.compile(r"\s*(?:jangan|tidak|ga|gak|nggak|bukan|not|don't)\s(?:mau\s|usah\s|perlu\s)?anon", re.IGNORECASE)
_NONE = re.compile(
    r"\b(?:no|none|tanpa|without|nihil|gaada|gada|(?:tidak|ga|gak|nggak|ngga|ora|teu|mboten)\s(?:ada|punya|ono|aya|wonten|usah|perlu))\b"
)
_BESIDE_NONE = re.compile(
    rf"{_NONE.pattern}|\b(?:lewati|lewatin|lewat|skip|kosong|kosongkan|kosongin|saja|aja|ya|deh|kak|pak|bu|min|kok|sih|dong|khusus|lagi"
    r"|i|have|there|is|any|the|a|saya|kami|untuk|itu|maaf|sorry|tanggal|tgl|date)\b"
)
_PERSON = ("name", "contact")
_IDENTITY = re.compile(r"\s*(?:identitas|identity|data diri)\b")


def does_not_know(message: str) -> bool:
    """Whether nothing but that is said: "kurang tahu, pak"."""
    return bool(_DOES_NOT_KNOW.fullmatch(normalise(message)))


def declines(message: str, asked: Field) -> bool:
    """Whether who writes would not answer: "beta seng mau kas nama", "teu aya". In a free text only where nothing else is said."""
    spelling = normalise(message)
    if re.search(r"\d", spelling) or re.search(r"[@?]", message) or len(spelling.split()) > DECLINING_WORDS:
        return False
    if asked.optional and _has_none_of(asked, message):
        return True
    if not _DECLINES.search(spelling):
        return False
    return asked.name in _PERSON or (asked.free_text and not re.search(r"\w", _FILLING.sub("", spelling)))


def _has_none_of(asked: Field, message: str) -> bool:
    """Whether it says that there is none of what is asked for, by its name: "cadangan ga ada, lewati", "no unit"."""
    names = "|".join(sorted(map(re.escape, FIELD_WORDS.get(asked.name, ())), key=len, reverse=True)) or "(?!)"
    rest, count = re.subn(rf"\b(?:{names})(?:nya|ku|ne|na|e)?\b", " ", message.lower(), count=1)
    return count == 1 and bool(_NONE.search(rest)) and not re.search(r"\w", _BESIDE_NONE.sub(" ", rest))


def also_declined(all_fields: Sequence[Field], asked: Field, message: str) -> list[str]:
    """Further fields on who writes that a refusal names: "ga usah kontak-kontakan" at the name."""
    spelling = normalise(message)
    return [
        one.name
        for one in all_fields
        if one.name in _PERSON
        and one.optional
        and one is not asked
        and any(f" {word} " in f" {spelling} " for word in FIELD_WORDS[one.name])
    ]


def without_name(message: str, asked: Field) -> str | None:
    """What else an answer says that asks for the name to stay out: "Yogyakarta" of "Yogyakarta, and anonymous please"."""
    if asked.name not in ("place", *_PERSON) or len(message.split()) > WITHDRAWAL_WORDS or not _NAMELESS.search(message):
        return None
    if _STAYS_NAMED.match(message):
        return None
    if asked.name == "name":  # what stands before it was taken back: "Suryadi, eh jangan, anonim saja"
        return ""
    return _NAMELESS.sub("", message).strip(" ,.;")


def withdrawn(all_fields: Sequence[Field], asked: Field, message: str, given: Mapping[str, object]) -> list[str]:
    """The names of the fields on who writes that may stay empty and are to after all: "jangan pakai nama saya"."""
    spelling = normalise(message)
    if len(spelling.split()) > WITHDRAWAL_WORDS:
        return []
    if asked.takes_sentences and asked.name not in _PERSON and not re.search(r"\b(?:saya|my)\b", spelling):
        return []  # "hapus nama jalan Belanda"
    meant = _named_to_withdraw(spelling)
    if asked.is_yes_or_no and "name" in given and not _STAYS_NAMED.match(message) and _NAMELESS.search(message):
        meant = ("name",)
    found = [one.name for one in all_fields if one.optional and one.name in meant and (one.name in given or one is asked)]
    holds_value = asked.name == "contact" and asked.accepts(message)
    return [name for name in found if not (holds_value and name == asked.name)]


def _named_to_withdraw(spelling: str) -> tuple[str, ...]:
    said = _WITHDRAWS.search(spelling)
    behind = spelling[said.end() :] if said else ""
    if _IDENTITY.match(behind):
        return _PERSON
    return tuple(name for name in _PERSON if _begins_with_word_for(name, behind) or _is_withdrawn(name, spelling))


def _is_withdrawn(name: str, spelling: str) -> bool:
    said = re.search(_called(name), spelling)
    return bool(said and _IS_WITHDRAWN.match(spelling, said.end()))


def _begins_with_word_for(name: str, spelling: str) -> bool:
    return re.match(rf"\s*(?:my )?{_called(name)}", spelling) is not None


def _called(name: str) -> str:
    """A pattern for the words for a field: "nama", "namaku"."""
    words = "|".join(map(re.escape, FIELD_WORDS[name]))
    return rf"\b(?:{words})(?:nya|ku)?\b"
