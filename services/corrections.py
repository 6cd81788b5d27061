"""Reads what an earlier answer of a form is to be instead: "alamatnya ganti Jl. Mawar 3", "nomor 2 salah", "kosongkan kebijakannya".

The name of a field counts before a number in the new value. Where any sentence could answer the open question, only plain corrections
of what was given are read as such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.commands import POLITE, find_ordinal
from services.field_names import FIELD_WORDS
from services.fields import Field, Rejection, SeveralChoices
from services.spelling import normalise

_I = re.IGNORECASE
_GROUPS = ("first", "second", "third")
"""Of a pattern: where the name of a field may stand."""
_POLITE = (
    r"(?:aja|saja|ya|iya|dong|deh|kak|pak|bu|min|bang|mas|mbak|nak|please|thanks|makasih|we|wae|atuh|tolong|maaf|sorry"
    r"|maksud(?:nya|na|e|ku|ne)?)"
)
_END = rf"(?:[\s,.!]{{0,4}}\b{_POLITE}\b)*[\s,.!]{{0,4}}$"
_LEAD = re.compile(
    r"[\s,.:;]{0,4}(?:\b(?:eh|oh|aduh|waduh|ups|maaf|sori|sorry|iya|ya|hmm*|nah|lho|loh|oke?|min|kak|pak|bu|bang|tunggu|sebentar|bentar|balik"
    r"|kembali|mundur|maksud|maksudku|maksudnya|jadi|belum|tidak|nggak|gak|tolong|mohon|minta|mau|ingin|saya|aku|gue|gw|bisa|boleh|coba|itu|lupa|tadi|barusan"
    r"|sudah|udah|udh|sdh|ben[ae]r|bnr|betul|leres|sip|mantap|cocok|setuju|oke|yes|right|fine|eta|ieu|iku|iki|niki"
    r"|yang|yg|soal|serius|ngawur|keliru|salah|tapi|tp|dan|terus"
    r"|untuk|bagian|isian|wait|please|can|could|you|i|we|want|need|to|the|my|but|and|also|sorry|actually|no)\b[\s,.:;]{0,4})*",
    _I,
)
_CHANGE = (
    r"(?:(?:di|meng?|me)?(?:ubah|ganti|gnti|rubah|ralat|koreksi|revisi|sempurnakan|tukar)(?:in|kan|i|lah|en)?"
    r"|(?:di|mem)?(?:perbaiki|betulkan|betulin|benerin|benarkan)|change|correct|edit|fix|update|make)"
)
_TO = r"(?:jadi(?:nya)?|jdi?|dadi|menjadi|dengan|pakai|(?:se)?harusnya|yang ben[ae]r|yg ben[ae]r|to be|to|should be|into|is|ke)"
_BETWEEN = (
    r"(?:\s+(?:deh|dong|aja|saja|ya|kak|pak|bu|min|saya|aku|gue|mohon|tolong|mau|minta|bisa|boleh|kalimatnya|tadi|yang|yg|itu|mending"
    r"|harap|itu tadi|only|just))*"
)
_WRONG = r"(?:salah(?: ketik| isi| tulis)?|keliru|typo|kurang(?: lengkap| tepat| pas)?|belum benar|wrong|incorrect|not right)"
_ADD = r"(?:(?:di|me)?(?:tambah|nambah)(?:in|kan|i|an|ke)?(?: lagi| juga| dengan| sama)*|kurang(?: lengkap)?(?=\s*:)|add(?: to)?)"
_ADDS = re.compile(rf"{_ADD}\s*[:,]?\s+(?P<value>.+)", _I | re.DOTALL)
_EMPTY = (
    r"(?<!jangan )(?<!not )(?<!don't )"
    r"(?:(?:di)?(?:kosong|hapus|apus|hilang|ilang|busek|buang|rahasia|sembunyi)(?:kan|in|no|keun|ke|ne|en|i)?"
    r"|(?:ga|gak|nggak|ngga|tidak|teu|ora) ?(?:usah|perlu|kedah)(?: di(?:isi|tulis|sebut))?|gausah"
    r"|anonim(?:kan|in)?|tanpa|remove|delete|leave (?:it )?(?:out|empty|blank)|drop)"
)
_SAYS_EMPTY = re.compile(rf"\b{_EMPTY}")
_SLIPPED = re.compile(r"\b(?:eh|aduh|waduh|ups|oops|maaf|sori|sorry|ralat|koreksi)\b|\b(?:salah|keliru)\s*[,:.]", _I)
_OF = r"(?:(?:the|my|yang|yg|isian|bagian)\s{1,3}){0,2}"
_IN = r"(?:\s{1,3}(?:di|ke|pada|untuk|in|to))?"
_BESIDE_NAME = re.compile(r"[\s,.;]{1,4}(?:(?:yang|yg)\s(?:tadi|itu|sebelum\w*|barusan|di\s?atas)\b|bukan\s)", _I)
"""What is said of the old name behind the new one: "Bambang, yang tadi bukan nama"."""
_PLACE = r"(?:(?:the|my|our|yang|yg|isian|bagian|poin|nomor|nomer|no|number|part|item|line)\.?\s+)*"
_BACK = (
    r"(?:balik|kembali|mundur|back|go back|return)\s+(?:lagi\s+)?(?:ke|to)\s+(?:pertanyaan\s+|bagian\s+|soal\s+|yang\s+|the\s+|my\s+)*"
)
_AFTER_VALUE = re.compile(
    r"(?P<first>.{2,60}?)(?:[\s,.]{1,3}(?:eh|oh)(?: maaf)?,?\s+(?:salah|bukan|keliru)"
    r"|[\s,.]{1,3}(?:ralat|sorry,? i mean|i mean))[\s,:]+(?P<value>.+)",
    _I,
)
_SLIP_FIRST = re.compile(r"(?:(?:eh|oh|aduh|waduh|ups|maaf|sori|sorry)[\s,.]{1,3}){1,3}(?:salah|keliru|ralat)\s*[,:]", _I)
_SLIP_WORDS = 8
_AFTER_REMARK = re.compile(
    r"(?:(?:eh|oh|lho|aduh|maaf|sorry|kan|tadi|barusan|sudah|udah|udh|dibilang|saya|aku|bilang|salah|keliru|ralat|maksud\w{0,3})"
    r"[\s,.:]{1,3}){0,6}(?:sudah|udah|udh|bilang|tadi|salah|keliru|ralat|maaf|sorry|maksud\w{0,3})[,.:]\s*"
    r"(?P<value>[^,.:]{1,60}?)(?:[\s,]{1,3}(?:maksud\w{0,3}|maaf|sorry|ya|pak|bu|kak|min))?[\s.!]*",
    _I,
)
"""A value behind words that say that it was told before, or wrongly."""
_ONLY = re.compile(r"^(?:cukup|hanya|cuma|cuman|just|only)\s+(?=\w)", _I)
_NO_VALUE = re.compile(r"(?:itu|ini|kok|kenapa|mana|apa|belum|masih|why|what)\b|.*\?\s*$", _I)
"""What complains about the old value and is no new one."""
_OLD_BUT_NEW = re.compile(r"(?:bukan|not)\s.{1,60}?[\s,]{1,3}(?:tapi|tp|melainkan|but)\s{1,3}(?P<value>\S.*)", _I | re.DOTALL)
_EVERYTHING = re.compile(r"\b(?:data|percakapan|chat|obrolan|semua\w*|conversation|everything)\b")
_BESIDE_NUMBERS = {"nomor", "no", "dan", "sama", "yang", "and", "bagian", "part"}
_CHOOSING_WORDS = 5
_NOT_BUT = re.compile(
    r"\bbukan\s(?P<old>\w[\w .-]{1,40}?)(?:\s(?:deh|ya|kok|lagi))?,?\s(?:tapi|melainkan|tulis|harusnya|yang benar|but)\s"
    r"(?P<new>\w[\w .,/-]{0,60}?)(?:\s(?:saja|aja|ya|deh))?\s?$",
    _I,
)
_BUT_NOT = re.compile(rf"\b(?P<new>(?!{_POLITE}\b)\w{{1,30}})\sbukan\s(?P<old>\w{{1,30}}){_END}", _I)
_A_FIGURE = re.compile(rf"\d\w{{0,9}}\sbukan\s\d\w{{0,9}}{_END}", _I)
_WORDS_BEFORE = 4
_UNNAMED = re.compile(rf"(?P<how>{_CHANGE}|salah|ralat|maksud(?:nya| saya|ku)?|{_TO})\s*[:,]\s*(?P<value>.+)", _I | re.DOTALL)
_SLIP = re.compile(r"(?P<lead>.{0,40}?)\b(?P<how>salah|keliru|ralat)\s*[:,]\s*(?P<value>.+)", _I | re.DOTALL)
_JOINS = (
    r"(?:[,;\n]{1,3}|\.\s|\s(?:dan|sama|and|terus)\s)\s{0,3}"
    r"(?:(?:tapi|tp|eh|oh iya|dan|and|but|terus|trus|juga|also|tolong|sama)[\s,]{1,3}){0,3}"
)
_NUMBERED = rf"(?:(?:nomor|nomer|no|number|poin|item)\.?\s?\d{{1,2}}\b|\d{{1,2}}\s{{1,2}}(?:{_CHANGE}|{_TO}|{_WRONG})\b)"
_BUT = re.compile(r"(?:[,.;]\s{1,3}|\s)(?:tapi|tp|but)[\s,]{1,3}|[,.;]\s{1,3}(?:eh|oh iya|oiya|by the way|btw)[\s,]{1,3}", _I)


class Correction(NamedTuple):
    field: Field
    value: Any
    """A `Rejection` where the message holds none that can be taken: then it has to be asked for."""


class Reader:
    """Of corrections in a form. `parts`: its fields as the summary numbers them, from 1."""

    def __init__(self, parts: Sequence[Field]) -> None:
        self._parts = parts
        self._by_word = {word: one for one in reversed(parts) for word in FIELD_WORDS.get(one.name, ())}
        words = "|".join(re.escape(word) for word in sorted(self._by_word, key=len, reverse=True)) or "(?!)"
        called = rf"(?:{words})(?:nya|ku|ne|na|e)?\b(?:\s+(?:saya|aku|gue|gw|abdi|kula|kulo|urang|lengkap)\b)?"
        first, second, third = (called.replace("(?:", rf"\b(?P<{group}>", 1) for group in _GROUPS)
        into = rf"(?:\s+kalimat\w*)?(?:\s*[:=,]+\s*|\s+)(?:(?:{_TO}|{_CHANGE})[\s:=,]+)*(?P<value>.+)"
        self._name = re.compile(first, _I)
        self._joint = re.compile(rf"{_JOINS}(?=(?:(?:{_CHANGE}|{_ADD}{_IN})\s{{1,3}})?{_OF}{first})", _I)
        self._joint_or_number = re.compile(rf"{_JOINS}(?=(?:(?:{_CHANGE}|{_ADD}{_IN})\s{{1,3}})?(?:{_NUMBERED}|{_OF}{first}))", _I)
        self._emptied = re.compile(
            rf"(?:{first}\s+(?:\w+\s+)?{_EMPTY}|{_EMPTY}\s+(?:(?:aja|saja|dong|deh|di|untuk|yang|the|my)\s+)*{second})"
            rf"(?:[\s,]+(?:we|wae|aja|saja|{_EMPTY})\b)*{_END}",
            _I,
        )
        self._added = re.compile(
            rf"(?:{_ADD}{_IN}\s+{_OF}{first}|{second}{_BETWEEN}\s+{_ADD})\s*[:,]?\s+(?P<value>.+)", _I | re.DOTALL
        )
        self._renewed = re.compile(
            rf"(?:{_CHANGE}{_BETWEEN}\s+{_PLACE}{first}{_BETWEEN}"
            rf"|{second}{_BETWEEN}\s+(?:{_CHANGE}|{_WRONG})"
            rf"|{third}{_BETWEEN}(?=\s+{_TO}\b|\s*[:=])){into}",
            _I | re.DOTALL,
        )
        self._asked_anew = re.compile(
            rf"(?:{_BACK}{first}|{_CHANGE}{_BETWEEN}\s+{_PLACE}{second}|{third}{_BETWEEN}\s+(?:{_CHANGE}|{_WRONG})){_END}", _I
        )
        self._named_with = re.compile(rf"{first}\s+(?P<value>.+)", _I | re.DOTALL)

    def read(self, asked: Field, message: str, given: Mapping[str, Any], *, at_summary: bool) -> list[Correction]:
        """Corrections of what was `given`, in their order; empty where the message is none."""
        if at_summary:
            figure = self._instead(message, given) if _A_FIGURE.search(message) else []  # of a value, not all of it
            return figure or self._numbers(message) or self._all(message, asked, given, at_summary) or self._instead(message, given)
        found = self._all(message, asked, given, at_summary)
        if found:
            return found
        if asked.takes_sentences:
            return self._of_the_last(asked, message, given) if _slipped_before(message) and not self._names(asked, message) else []
        if asked.accepts(message) and len(message.split()) <= _CHOOSING_WORDS:
            return []
        return self._of_the_last(asked, message, given)

    def _names(self, asked: Field, message: str) -> bool:
        """Whether the message calls what is asked for by its name."""
        return any(self._meant(found) is asked for found in self._name.finditer(message))

    def _instead(self, message: str, given: Mapping[str, Any]) -> list[Correction]:
        """A part of a value in place of another: "bukan Makassar, tulis Gowa", "nomor 54 bukan 45"."""
        match = _NOT_BUT.search(message) or _BUT_NOT.search(message)
        if match is None:
            return []
        texts = {one.name: value for one in self._parts if isinstance(value := given.get(one.name), str)}
        places = {name: place for name, text in texts.items() if (place := _place_of(match["old"], text)) is not None}
        named = [one.name for found in self._name.finditer(message) if (one := self._meant(found)).name in places]
        holding = [one for one in self._parts if one.name in (named[:1] or places)]
        if len(holding) != 1:
            return []
        text, start = texts[holding[0].name], places[holding[0].name]
        value = holding[0].check(text[:start] + match["new"].strip() + text[start + len(match["old"]) :])
        return [] if isinstance(value, Rejection) else [Correction(holding[0], value)]

    def parts_named(self, message: str) -> list[Correction]:
        """The parts of the summary that a message names, to be asked for again: "uraian dan harapan"."""
        named = dict.fromkeys(self._meant(found) for found in self._name.finditer(normalise(message)))
        return [Correction(one, Rejection("")) for one in named]

    def may_empty(self, message: str) -> bool:
        """Whether it names a part and says that it is to be empty."""
        spelling = normalise(message)
        return bool(self._name.search(spelling) and _SAYS_EMPTY.search(spelling) and not _EVERYTHING.search(spelling))

    def _numbers(self, message: str) -> list[Correction]:
        """The same by nothing but numbers: "4 sama 5"."""
        words = re.findall(r"\w+", POLITE.sub(" ", message.lower()))
        numbers = [int(word) for word in words if word.isdecimal()]
        if not all(word.isdecimal() or word in _BESIDE_NUMBERS for word in words):
            return []
        return [
            Correction(self._parts[number - 1], Rejection("")) for number in dict.fromkeys(numbers) if 1 <= number <= len(self._parts)
        ]

    def beside(self, asked: Field, message: str, given: Mapping[str, Any]) -> tuple[str, list[Correction]]:
        """An answer, and corrections behind it: "Andi Wijaya. tapi tujuannya salah, tujuannya buat berita"."""
        parts = _BUT.split(message, maxsplit=1)
        found = self._all(parts[1], asked, given, False) if len(parts) == 2 else []
        return (parts[0].strip(), found) if found else (message, [])

    def _all(self, message: str, asked: Field, given: Mapping[str, Any], at_summary: bool) -> list[Correction]:
        text = message.replace("ſ", "s").replace("İ", "I")  # which match without regard to case, and lower to others
        clauses = self._clauses(text, self._joint_or_number if at_summary else self._joint)
        for several in (clauses, [text]) if len(clauses) > 1 else ([text],):
            found = [self._one(clause, asked, at_summary) for clause in several]
            kept = {one.field.name: one for one in found if one}
            if all(found) and (at_summary or any(_is_of_another(one, asked, given) for one in kept.values())):
                return list(kept.values())
        last = re.split(r"[,.;]\s", text)[-1] if at_summary else text
        return [] if last == text else self._all(last, asked, given, at_summary)

    @staticmethod
    def _clauses(text: str, joint: re.Pattern[str]) -> list[str]:
        joints = [(found.start(), found.end()) for found in joint.finditer(text) if found.start() > 0]
        starts, ends = [0, *(end for _, end in joints)], [*(start for start, _ in joints), len(text)]
        return [text[start:end] for start, end in zip(starts, ends, strict=True)]

    def _one(self, clause: str, asked: Field, at_summary: bool) -> Correction | None:
        lead = _LEAD.match(clause)
        text = clause[lead.end() if lead else 0 :].strip()
        slipped = bool(lead and _SLIPPED.search(lead[0]))
        return (
            self._named(text, asked, at_summary, slipped)
            or self._named(clause.strip(), asked, at_summary)
            or (self._numbered(text) if at_summary else None)
        )

    def _named(self, text: str, asked: Field, at_summary: bool, slipped: bool = False) -> Correction | None:
        """By the name of a field, in the surest form that fits."""
        if match := self._emptied.fullmatch(text):
            one = self._meant(match)
            return Correction(one, None if one.optional else Rejection(""))
        if (match := self._added.fullmatch(text)) and _takes_more(self._meant(match)):
            return Correction(self._meant(match), Addition(match["value"].strip()))
        if match := self._asked_anew.fullmatch(text):
            return Correction(self._meant(match), Rejection(""))
        if match := self._renewed.fullmatch(text):
            return self._checked(self._meant(match), match["value"])
        names_its = asked.name in ("name", "address") and re.match(r"\w+(?:nya|\s(?:saya|aku|gue|gw|abdi|kula|lengkap))\b", text, _I)
        if (at_summary or names_its or slipped or not asked.takes_sentences) and (match := self._named_with.fullmatch(text)):
            found = self._checked(self._meant(match), match["value"])
            return None if isinstance(found.value, Rejection) else found
        return None

    def _meant(self, match: re.Match[str]) -> Field:
        groups = match.groupdict()
        return self._by_word[next(groups[group] for group in _GROUPS if groups.get(group)).lower()]

    @staticmethod
    def _checked(one: Field, value: str) -> Correction:
        words = "|".join(map(re.escape, FIELD_WORDS.get(one.name, ())))
        value = re.sub(rf"^(?:{words})nya\s+(?=\w)", "", value.strip(), flags=_I)
        if _NO_VALUE.match(value):
            return Correction(one, Rejection(""))
        if match := _OLD_BUT_NEW.fullmatch(value):
            value = match["value"]
        if _takes_more(one) and (match := _ADDS.fullmatch(value)):
            return Correction(one, Addition(match["value"].strip()))
        if one.name in ("name", "place"):
            value = _BESIDE_NAME.split(value)[0]
        if len(value.split()) <= _CHOOSING_WORDS:
            value = _ONLY.sub("", value)
            while (parts := value.rsplit(None, 1))[1:] and re.fullmatch(_POLITE, parts[1].strip(",.!"), _I):
                value = parts[0].rstrip(" ,")
        return Correction(one, one.check(value))

    def _numbered(self, text: str) -> Correction | None:
        """By its number in the summary: "4 lombok timur", "no 8 pos aja", "ubah nomor 2"."""
        match = re.fullmatch(rf"(?:{_CHANGE}\s+)?{_PLACE}(?P<number>\d{{1,2}})\b(?P<rest>.*)", text, _I | re.DOTALL)
        number = int(match["number"]) if match else find_ordinal(text) or 0
        if not 1 <= number <= len(self._parts):
            return None
        one = self._parts[number - 1]
        rest = (
            re.sub(rf"^[\s.:),=-]*(?:(?:{_CHANGE}|{_WRONG}|{_TO}|itu)[\s:,=]+)*", "", match["rest"] + " ", flags=_I) if match else ""
        )
        if not rest.strip() or re.fullmatch(rf"[\s,]*(?:{_CHANGE}|{_WRONG}){_END}", match["rest"] if match else "", _I):
            return Correction(one, Rejection(""))
        return self._checked(one, rest)

    def _of_the_last(self, asked: Field, message: str, given: Mapping[str, Any]) -> list[Correction]:
        """ "Ganti: …" without a name means what was given last."""
        before = [one for one in self._parts if one.name in given and one is not asked]
        lead = _LEAD.match(message)
        text = message[lead.end() if lead else 0 :]
        match = _UNNAMED.fullmatch(text) or _SLIP.fullmatch(message)
        if match and match.groupdict().get("lead") and not _LEAD.fullmatch(match["lead"]):
            match = None
        if not before or match is None:
            return []
        one = before[-1]
        was_told = one.free_text and len(str(given[one.name]).split()) > _CHOOSING_WORDS
        told_on = was_told and match["how"].lower() in ("salah", "keliru")
        value: Any = Addition(match["value"].strip()) if told_on else self._checked(one, match["value"]).value
        return [] if isinstance(value, Rejection) else [Correction(one, value)]


def _takes_more(one: Field) -> bool:
    """Whether something can be added to a value of it."""
    return one.free_text or one.name == "address" or isinstance(one.check, SeveralChoices)


def _is_of_another(one: Correction, asked: Field, given: Mapping[str, Any]) -> bool:
    """Whether it changes what was given, and not what is asked; or is a contact, which its form gives away before it is asked for."""
    is_contact = one.field.name == "contact" and bool(one.value) and not isinstance(one.value, Rejection)
    return one.field is not asked and (one.field.name in given or is_contact)


def _place_of(part: str, text: str) -> int | None:
    """Where `part` stands in `text` as whole words, whatever its case."""
    part, text = part.lower(), text.lower()
    start = text.find(part)
    while start >= 0:
        around = text[max(start - 1, 0) : start] + text[start + len(part) : start + len(part) + 1]
        if not any(character.isalnum() for character in around):
            return start
        start = text.find(part, start + 1)
    return None


class Addition(str):
    """A text that is put behind the one that was given."""


def mended(asked: Field, message: str) -> str:
    """What stands behind the slip in a short value, or behind a remark on it: "bandung, eh salah, cimahi", "tadi udah, 6"."""
    match = _AFTER_VALUE.fullmatch(message.strip())
    short = match and len(match["first"].split()) <= _WORDS_BEFORE
    if match and short and asked.accepts(match["value"]):
        return match["value"]
    match = _AFTER_REMARK.fullmatch(message.strip())
    short = match and len(match["value"].split()) <= _CHOOSING_WORDS
    return match["value"] if match and short and asked.accepts(match["value"]) else message


def _slipped_before(message: str) -> bool:
    """Whether a short message begins by saying that what came before was a slip: "eh salah, Bandung"."""
    return len(message.split()) <= _SLIP_WORDS and bool(_SLIP_FIRST.match(message))
