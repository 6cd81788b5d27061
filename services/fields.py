"""Checks of what a citizen gives in a form. A check takes the message and returns the value, or says why it can't be one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import fuzz, process

from services import contact_reading, simpel, tickets
from services.commands import POLITE, Command, find_command, find_ordinal, without_politeness
from services.number_words import in_figures
from services.privacy import Kind, contains_personal_data, mask
from services.spelling import normalise

CHOICE_WORDS_FILE = Path(__file__).with_name("choice_words.yml")


NO_NAME_FILE = Path(__file__).with_name("no_name_words.yml")


@dataclass(frozen=True)
class Rejection:
    """`response` names the sentence in domain.yml that gives the reason and an example."""

    response: str


STORY_CHARACTERS = 2000
TOO_LONG = Rejection("utter_text_too_long")
Check = Callable[[str], Any]
"""Takes the message, returns the value to keep or a `Rejection`."""


@dataclass(frozen=True)
class Field:
    """One question of a form. Its sentence is `utter_ask_<journey>_<name>` in domain.yml."""

    name: str
    check: Check
    personal: bool = False
    """Never in a tracker, log or list: only in the encrypted draft and ticket."""
    optional: bool = False
    free_text: bool = False
    """Any sentence may be the value, so only questions about the service itself interrupt the form here."""
    label: str | None = None
    """What stands for a personal value in logs, e.g. `nama`."""
    in_summary: bool = True
    """Has a line and a number of its own in the summary."""
    lost: str | None = None
    """The sentence for who does not have what is asked for any more ("lupa", "tidak punya")."""
    when: Callable[[dict[str, Any]], bool] = lambda fields: True
    """Whether it is asked at all, given what is known so far."""

    def accepts(self, message: str) -> bool:
        """Whether the message could be the value."""
        return not isinstance(self.check(message), Rejection)

    @property
    def takes_sentences(self) -> bool:
        """Whether the value can't be told from a remark by its form."""
        return self.free_text or self.name in ("name", "address")

    @property
    def has_few_answers(self) -> bool:
        """Whether it is a choice, or a yes or no."""
        return isinstance(self.check, Choice | SeveralChoices) or self.is_yes_or_no

    @property
    def is_yes_or_no(self) -> bool:
        """Whether a no is an answer to it like a yes."""
        return self.check in (agreement, consent, of_age_or_allowed)


_NO_NAME = re.compile(
    r"[?@]|(?-i:\b[Kk]ok\s[a-z])|\b(?:(?:e-?mail|surel|whatsapp|telepon|nomor|kontak)(?:nya|ku|an)?"
    r"|(?:yang|yg) tadi|salah isi|alasannya|tujuannya|isinya|daerahnya|kebijakannya"
    r"|harapan saya|kembali|mundur|unduh|gimana|bagaimana|kenapa|dibuat|harusnya|tolong|anonymous|anonim)\b",
    re.IGNORECASE,
)
_CALLED_BY = re.compile(
    r"(?:(?:eh|oh|lho|iya|ok|oke)[\s,]{1,3}){0,2}"
    r"(?:(?:perkenalkan|kenalkan|kenalin)[\s,]{1,3})?"
    r"(?:nama(?:nya| (?:saya|aku|gue|gw|gua|ane|beta|lengkap saya|bapak|ibu))?|jeneng(?:ku|e)?|nami(?:na)?|ngaran|atas nama"
    r"|(?:panggil|sebut)(?: saja| aja)?"
    r"|(?:my )?name(?:'s| is)|it's|i am|i'm|this is|call me|saya|aku)\s+(?:sendiri\s*,?\s*)?(?:adalah\s+)?",
    re.IGNORECASE,
)
_BEHIND_NAME = re.compile(r"(?:ya|kak|min|pak|bu|dong|deh|aja|saja|atuh|we|wae|sorry|maaf|please|thanks)?\W*", re.IGNORECASE)
_ONESELF = frozenset(("sendiri", "saya", "saya sendiri", "aku sendiri", "myself", "me"))


@cache
def no_name_words() -> frozenset[str]:
    """Words that stand in nobody's name (no_name_words.yml)."""
    lines = yaml.load(NO_NAME_FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 makes strings only
    return frozenset(word for line in lines for word in line.split())


def name(message: str) -> str | Rejection:
    value = _CALLED_BY.sub("", message.strip(), count=1) if _CALLED_BY.match(message.strip()) else message.strip()
    words = value.split()
    while len(words) > 1 and _BEHIND_NAME.fullmatch(words[-1]):
        words.pop()
    value = " ".join(words).strip(" .,!")
    letters = sum(c.isalpha() for c in value)
    if not 2 <= len(value) <= 100 or letters < 2 or letters < len(value) / 2 or _says_something(value):
        return Rejection("utter_invalid_name")
    return value


_STREET = re.compile(r"^(?:ini|jl|jln|jalan|gg|komplek\w*|perum\w*|dusun|blok)\b|\b(?:no|nomor)\b\.? ?\d", re.IGNORECASE)
"""The answer to the question for an address, one question early; or "(saya) ini petani"."""


def _says_something(value: str) -> bool:
    """Whether words of it stand in nobody's name: "kok banyak nanyanya", "ganti dong"."""
    return bool(_NO_NAME.search(value) or _STREET.search(value)) or value.lower() in _ONESELF or _has_no_name_word(value)


def _has_no_name_word(value: str) -> bool:
    return not no_name_words().isdisjoint(re.findall(r"\w+", value.lower()))


_OF_A_PLACE = re.compile(
    r"\d|\b(?:jl|jln|jalan|gang|gg|rt|rw|no|blok|desa|dusun|kampung|kp|kelurahan|kel|kecamatan|kec|kabupaten|kab|kota|provinsi|prov|perum\w*"
    r"|komplek\w*|apartemen|street|road|avenue)\b",
    re.IGNORECASE,
)


def address(message: str) -> str | Rejection:
    value = " ".join(message.split())
    if not _OF_A_PLACE.search(value) and _has_no_name_word(value):
        return Rejection("utter_invalid_address")
    if len(re.sub(r"\S{1,64}@\S{1,255}", "", value).strip()) < 10:  # the e-mail address is asked for next
        return Rejection("utter_invalid_address")
    says_where = any(c.isdigit() for c in value) or len(value.split()) >= 3
    return value if 10 <= len(value) <= 300 and says_where else Rejection("utter_invalid_address")


def contact(message: str) -> str | Rejection:
    """An e-mail address or a phone number, in one spelling."""
    for kind, value in mask(message).found:
        read = contact_reading.email(value) if kind is Kind.EMAIL else contact_reading.phone(value) if kind is Kind.PHONE else None
        if read:
            return read
    return Rejection("utter_invalid_contact")


def text(minimum: int, maximum: int, response: str) -> Check:
    """Free text of `minimum` to `maximum` characters without personal numbers in it."""

    def check(message: str) -> str | Rejection:
        value = message.strip()
        if not minimum <= len(value) <= maximum:
            return TOO_LONG if len(value) > maximum == STORY_CHARACTERS else Rejection(response)
        if contains_personal_data(value):
            return Rejection("utter_invalid_personal_data_in_text")
        return value

    return check


_CALLED = r"\b(?:e-?mail|surel|hp|wa|telp|telepon|phone|nomor|nik|nip|npwp|ktp|paspor|passport|rekening)\b\W*(?=\n|$)"


def without_personal_data(message: str) -> str:
    """A line break where a number or an address of a person stood, with what it was called."""
    for _, value in mask(message).found:
        message = message.replace(value, "\n")
    return re.sub(_CALLED, "", message, flags=re.IGNORECASE)


@cache
def choice_words(field_name: str) -> dict[str, tuple[str, ...]]:
    """Value to other words for it (choice_words.yml), in normalised spelling."""
    listed = yaml.load(CHOICE_WORDS_FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 makes strings only
    return {value: tuple(normalise(word) for word in words) for value, words in listed.get(field_name, {}).items()}


_LAST = re.compile(
    r"(?:(?:saya|i|mau|pilih|memilih|ambil|take|choose|yang|the|pilihan|opsi|nomor|option|choice) )*"
    r"(?:ter(?:akhir|bawah)|paling (?:bawah|akhir)|last)(?: one| option| choice| saja)?"
)


_NEGATIONS = frozenset("bukan tidak tanpa not no non".split())
"""A name with one of these is no misspelling of what has none."""


@dataclass(frozen=True)
class Choice:
    """One of `values`: by name, by a misspelt name, by another word for it (of `words`, a key of choice_words.yml) or by number."""

    values: tuple[str, ...]
    words: str = ""

    def __call__(self, message: str) -> str | Rejection:
        number = self._place_named(message) or find_ordinal(message)
        if number is not None:
            return self.values[number - 1] if 1 <= number <= len(self.values) else Rejection("utter_invalid_choice")
        names, spelling = self._names(), normalise(message)
        if find_command(message) and spelling not in names:
            return Rejection("utter_invalid_choice")
        begun = {value for value in self.values if self._own_name(value).startswith(f"{spelling} ")} if " " in spelling else set()
        if len(begun) == 1:  # "warga negara" for the first of its words, "warga negara indonesia"
            return begun.pop()
        likely = [name for name in names if not _NEGATIONS & (set(name.split()) - set(spelling.split()))]
        found = process.extractOne(spelling, likely, scorer=fuzz.ratio, score_cutoff=78)
        return (names[found[0]] if found else self.named(message)) or Rejection("utter_invalid_choice")

    def _place_named(self, message: str) -> int | None:
        """The place of "b", "a aja", "yg terakhir"."""
        spelling = without_politeness(message)
        letter = re.fullmatch(r"(?:yang |pilih )?([a-i])(?: saja)?", spelling)
        if letter:
            return "abcdefghi".index(letter[1]) + 1
        return len(self.values) if _LAST.fullmatch(spelling) else None

    def named(self, message: str) -> str | None:
        """The one value that is named among other words. "Bukan wni" names what it stands for, and not "wni"."""
        spelling = f" {normalise(message)} "
        values = self._names()
        said = [name for name in values if f" {name} " in spelling]
        whole = {values[name] for name in said if not any(f" {name} " in f" {longer} " for longer in said if longer != name)}
        return whole.pop() if len(whole) == 1 else None

    def _own_name(self, value: str) -> str:
        return next(iter(choice_words(self.words).get(value, ())), "") if self.words else ""

    def _names(self) -> dict[str, str]:
        others = choice_words(self.words) if self.words else {}
        return {normalise(value.replace("_", " ")): value for value in self.values} | {
            word: value for value in self.values for word in others.get(value, ())
        }


_LETTERED = re.compile(r"\b(?:huruf|hrf|poin|point|butir|letter|items?)\s([a-g](?:\s?(?:,|dan|and|&|/|sama)\s?[a-g])*)\b")
"""Values by their letters, whatever is said of each: "huruf c tidak ditanggapi, juga huruf g"."""


@dataclass(frozen=True)
class SeveralChoices:
    """One or more of `values`, in their order: by name or another word (as `Choice`), by number or by letter (a, b, c)."""

    values: tuple[str, ...]
    words: str = ""

    def __call__(self, message: str) -> list[str] | Rejection:
        one = Choice(self.values, self.words)
        letters = [letter for found in _LETTERED.findall(message.lower()) for letter in re.findall(r"\b[a-g]\b", found)]
        if letters:
            return [value for value, letter in zip(self.values, "abcdefg", strict=False) if letter in letters]
        parts = [part for part in re.split(r"[,;&+]|\bdan\b|\band\b|\s(?=[a-g1-7]\b)", message.lower()) if part.strip()]
        chosen = [one(str("abcdefg".index(p.strip()) + 1) if re.fullmatch(r"\s*[a-g]\s*", p) else p) for p in parts]
        found = {value for value in chosen if isinstance(value, str)}
        if not chosen or any(isinstance(value, Rejection) for value in chosen):
            named = one.named(message)
            return [named] if named else Rejection("utter_invalid_choice")
        return sorted(found, key=self.values.index)


def agreement(message: str) -> bool | Rejection:
    """True for a yes. A no is False; anything else is asked again."""
    command = find_command(message)
    ordinal = None if "?" in message else find_ordinal(message)
    if command is Command.YES or ordinal == 1:
        return True
    if command in (Command.NO, Command.SKIP) or ordinal == 2 or (command is None and _refuses(message)):
        return False
    return Rejection("utter_invalid_yes_no")


def consent(message: str) -> bool | Rejection:
    """As `agreement`, to being asked for an errand; also a yes with more beside it: "setuju tp jangan pake nama"."""
    value = agreement(message)
    if isinstance(value, Rejection):
        clauses = re.split(r"[,.;?!\n]+|\b(?:tapi|but)\b", re.sub(r"\b(?:tp|tpi|tetapi)\b", "tapi", message.lower()))
        meant = {find_command(clause) for clause in clauses if clause.strip()}
        return True if Command.YES in meant and not meant & {Command.NO, Command.CANCEL} else value
    return value


_REFUSES = re.compile(
    r"(?:tidak|jangan|bukan|no|nomor)(?: (?:deh|ah|dulu|saya|aku|kami|kok|pak|bu|kak|min|i|thanks))* "
    r"(?:(?:tidak|jangan|don't|do not|won't) )?(?:mau|setuju|usah|bersedia|ingin|ikhlas|rela|want|agree)\b"
    r"|(?:saya|aku|kami|i|ya|aduh|wah) (?:tidak (?:mau|setuju|bersedia|rela)|don't (?:want|agree))\b"
    r"|(?:malas|males|ogah|emoh|moh|embung|gamau|gakmau|nggamau|don't want)\b"
)
"""In normalised spelling, which reads "no" as "nomor"."""
LONGEST_REFUSAL = 12


def _refuses(message: str) -> bool:
    """Whether a message begins with a refusal in words of its own: "tidak, saya tidak mau", "males ah"."""
    spelling = normalise(message)
    return "?" not in message and len(spelling.split()) <= LONGEST_REFUSAL and bool(_REFUSES.match(spelling))


_YEARS = re.compile(r"\b(\d{1,2})\b")
FULL_AGE = 18
_NOT_YET = re.compile(r"\b(?:belum|bukan|tidak|not|under|kurang)\b")
_ALLOWED = re.compile(
    r"\b(?:setuju|izin|izinkan|diizinkan|mengizinkan|ngizinin|boleh|dibolehkan|diperbolehkan|dewasa|oke|agree|agreed|agrees|allow|allowed|adult)\b"
)


def of_age_or_allowed(message: str) -> bool | Rejection:
    """As `agreement`; also an age from 18 on, and that the parents agree: "udah 18", "mama setuju"."""
    value = agreement(message)
    spelling = normalise(message)
    if not isinstance(value, Rejection) or "?" in message or _NOT_YET.search(spelling):
        return value
    age = _YEARS.search(in_figures(spelling))
    if age:
        return True if int(age[1]) >= FULL_AGE else value
    return True if _ALLOWED.search(spelling) and len(spelling.split()) <= LONGEST_REFUSAL else value


_HAS_NONE = re.compile(
    r"\b(?:lupa|hilang|tanpa nomor|tidak (?:ada|punya|dapat|diberi|dikasih|ingat|tercatat|simpan|pegang)"
    r"|(?:tidak|kurang|belum) (?:tahu|tau)"
    r"|belum (?:dapat|diberi|dikasih|punya)|forgot\w*|forget|lost|no(?:mor)? (?:number|code)"
    r"|(?:don't|dont|didn't|do not|did not) (?:have|know|get|remember)"
    r"|(?:number|code) i (?:have|got) not)\b"
)


def has_none(message: str) -> bool:
    """Whether the message says that what was asked for is not there: a number that was lost or never given."""
    return bool(_HAS_NONE.search(normalise(message)))


def ticket_number(message: str) -> str | Rejection:
    return tickets.normalise_number(message) or Rejection("utter_invalid_ticket_number")


NO_CODE = Rejection("utter_invalid_code")


def access_code(message: str) -> str | Rejection:
    """Anything that could be meant as a code is tried, so that a wrong form tells nothing about the right one."""
    text = simpel.without_number(message)
    code = tickets.named_code(text) or tickets.normalise_code(text)
    if code:
        return code
    word = message.strip().upper()
    return word if re.fullmatch(r"(?=\D*\d)[A-Z0-9-]{3,12}", word) else NO_CODE


_LABELS = re.compile(
    r"\b(?:(?:nomor|no|permohonan|pengajuan|berkas|simpel|sp|number|request|application)(?:nya)?"
    r"|saya|aku|kami|ini|itu|adalah|yaitu|yang|my|the|is|it's)\b[.:]?",
    re.IGNORECASE,
)
_LEAST_DIGITS = 3


def without_labels(message: str) -> list[str]:
    """The words of a message beside polite ones and those that only call a number one."""
    return [word for word in _LABELS.sub(" ", POLITE.sub(" ", message)).split() if any(c.isalnum() for c in word)]


def simpel_number(message: str) -> str | Rejection:
    """A number of a form that is known, or a single word with some digits beside what it is called: nobody knows all forms."""
    found = simpel.find_number(message)
    words = without_labels(tickets.without_named_code(message))
    alone = words[0].strip(".,;:!?").upper() if len(words) == 1 else ""
    is_code = re.fullmatch(r"(?=\d*[A-Z])[0-9A-Z]{6}", alone)
    if tickets.normalise_number(message) or (not found and is_code):
        return Rejection("utter_invalid_simpel_number")
    if not found and (contains_personal_data(message) or len(re.findall(r"\d", alone)) < _LEAST_DIGITS):
        return Rejection("utter_invalid_simpel_number")
    return simpel.normalise_number(found or alone)
