"""Tells what is said beside a form's open question from the answer to it, by the words alone.

Intents can't: to a classifier of wishes, a name such as "Salam Harahap" is a greeting and any other name out of scope.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from services.privacy import contains_personal_data
from services.spelling import normalise

WORDS_FILE = Path(__file__).with_name("remark_words.yml")
SURE, VERY_SURE = 0.6, 0.9
"""Probability from which an intent counts beside a form's question; the second where the words could be the answer as well."""
ASKING = (
    r"apa|apakah|siapa|siapakah|berapa|kapan|mana|di mana|ke mana|bagaimana|mengapa|bisakah|bolehkah|haruskah"
    r"|what|who|when|where|why|how|which|is|are|do|does|can|could|may|must|should"
)
_OPENING = r"(?:(?:halo|hai|min|admin|kak|pak|bu|mas|mbak|maaf|eh|oh|terus|lalu|kalau|itu|ini|and|but|so)\s+)*"
_BEGINS_ASKING = re.compile(rf"{_OPENING}(?:{ASKING})\b")
_ASKS_WITHIN = re.compile(
    r"\b(?:apakah|berapa|kapan|bagaimana|mengapa|di mana|ke mana|apa itu|apa saja|itu apa|tidak (?:sih|ya|kah))\b"
)
_ENDS_ASKING = re.compile(
    r"\b(?:apa|apaan|siapa|berapa|kapan|mana|bagaimana|opo|piye|naon|saha|iraha|kumaha|sabaraha)"
    r"(?:\s+(?:sih|ya|iya|kak|pak|bu|min|bang|mas|mbak|dong|to|atuh|nak|tadi|itu|ini))*\s*[?!.]*$"
)
_ASKS_IN_A_CLAUSE = re.compile(rf"[.!,;?]\s*{_OPENING}(?:{ASKING})\b[^.!]*\?|\b(?:opo|apa|naon|what)\s*\?")
_ASKS_WHETHER = re.compile(
    r"\b(?:bisa|boleh|perlu|harus|wajib|mungkin|bayar|gratis|aman|dapat|can|could|may|must|need|needed|required|free|possible)\b"
)
_ENDS_WITH_NOT = re.compile(
    r"\w\s\S{2,}\s(?:atau\s)?(?:ga|gak|gk|ngga|nggak|enggak|engga|ndak|kagak|kaga|ora|atau tidak|apa tidak)"
    r"(?:\s(?:sih|ya|kak|pak|bu|min|bang|mas|mbak))?[\s?!.]*$",
    re.IGNORECASE,
)
"""Whether something is so: "kunjungan ini bayar ga"."""
_TURN = re.compile(
    r"[.;!\n]\s{1,3}"
    r"|,\s{0,3}(?=(?:eh|oh|oya|oiya|btw|by the way|terus|trus|lalu|tapi|tp|also|and|but|min|kak|pak|bu|sekalian|mau (?:ta)?nya)\b)"
    r"|\s(?=(?:eh|btw|oiya|oh iya|by the way)\b)",
    re.IGNORECASE,
)
_APART = re.compile(r"(?:eh|oh|oya|oiya|btw|by the way|also|sekalian|min|kak|mau (?:ta)?nya)\b", re.IGNORECASE)
LONGEST_GRUMBLE = 12
_TOO_MUCH = re.compile(
    r"\b(?:banyak|ribet|panjang|lama|susah|capek|pusing|bertele|terus|mulu|rumit|repot|many|much|long|complicated|annoying)\b"
)
_OF_QUESTIONS = re.compile(
    r"\b(?:tanya|tanyanya|nanyanya|nanyain|ditanya|ditanyain|pertanyaan|pertanyaannya|takon\w*|formulirnya|formnya|isiannya|questions?|asking)\b"
)
_WANTS_TOLD = re.compile(r"\b(?:tanya|bertanya|nanya|menanyakan|jelaskan|jelasin|info|tell me|explain|wondering)\b")
LONGEST_CALL, LONGEST_REJECTION = 5, 12
"""In words: a longer message wants more than to hear the same again, or tells something else."""
_AGAIN = re.compile(
    r"^(?:(?:tolong|coba|bisa|kak|min|mohon|please|can you) )*(?:di)?ulang(?:i|in)?\b|\bsekali lagi\b|\brepeat\b|\b(?:it|that) again\b"
    r"|\bsumber(?:nya|ne|na)? (?:apa|mana|dari mana|di mana)\b"
    r"|\bdari mana (?:sumber|informasi|info|data)(?:nya|ne|na)?(?: (?:itu|ini|tadi|kak|min|iya|pak|bu))* ?\??$"
    r"|^(?:what|where)(?:'s| is| are) (?:the|your|its|that) sources?\b"
    r"|^(?:sumber(?:nya|ne|na)?|sources?)(?: (?:kak|min|dong|please))* ?\??$"
    r"|^(?:(?:itu|terus|lho) )?(?:siapa yang|yang) bilang(?: (?:siapa|begitu|itu))* ?\??$"
    r"|^who (?:says?|said)(?: (?:that|so|this))? ?\??$"
    r"|^(?:(?:where did you|how do you) (?:get|know) (?:that|this|it)(?: from)?|cite (?:your|the|a) sources?) ?\??$"
)
_ANNOUNCES = re.compile(
    r"(?:\w+[\s,]{1,2}){0,4}(?:mau|mo|ingin|pengen|numpang|boleh|izin|want to|wanna|can i|may i)\s(?:tanya|nanya|bertanya|ask)\b"
    r"(?:\s(?:dulu|dong|kak|min|nih|sebentar|something|first|you))*[\s,:.]{1,3}(?=\S)",
    re.IGNORECASE,
)
_REJECTS = re.compile(r"(?:(?:lho|eh|iya|ya|kok|maksud|saya|aduh|no) ,?\s?)*(?:bukan|dudu|sanes|not)\b")
_REJECTION = (
    r"(?:(?:eh|lho|oh|maaf|aduh|iya|ya|sorry) )*(?:bukan|dudu|sanes|salah|tidak (?:jadi|usah)|no|nomor|not)"  # "no" is read as "nomor"
    r"(?P<more>(?: (?:itu|ini|deh|ding|ya|iya|kak|min|saja|yang|maksud|that))*)"
)
_TURNS_TO = re.compile(rf"{_REJECTION} (?=(?:saya |i )?(?:mau|ingin|minta|lapor|cek|kirim|want)\b)")
_REJECTION_ALONE = re.compile(_REJECTION)
_PUZZLED = frozenset(
    "hah ha heh hm apa apaan terus lalu lah loh maksudnya maksud bagaimana bingung gimana what huh pardon sorry".split()
)
_LOSS = re.compile(
    r"\b(?:kesepian|berduka|berpulang|dipecat|diputusin|patah hati|passed away|lost my job|lonely|heartbroken|grieving"
    r"|(?:kena|di|baru) ?phk|miss (?:my|her|him))\b"
)
_SADNESS = re.compile(
    r"\b(?<!tidak )(?<!not )(?:meninggal|wafat|almarhum\w*|seda|sedo|mati|kangen|rindu|sendirian|sepi|sedih|galau|died|sad)\b"
)
_WHOSE = re.compile(
    r"\b(?:saya|kami|my|i|i'm|istri|suami|anak|ibu|bu|ayah|bapak|mama|papa|kakek|nenek|simbah|simbok|adik|kakak|kucing\w*|anjing\w*|burung)\b"
)
_SHOWN = re.compile(r"\b(?:film|lagu|novel|drama|drakor|toko|hotel|movie|song)\b")
_TELLS_WHO = re.compile(
    r"\b(?:(?:nama|alamat|e-?mail|surel|kontak|telepon|hp|wa)(?:nya)?|name|address|phone|contact)\b\W{0,3}\w", re.IGNORECASE
)


@cache
def _words() -> frozenset[str]:
    lines = yaml.load(WORDS_FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 makes strings only
    return frozenset(word for line in lines for word in normalise(line).split())


def is_question(message: str, *, wholly: bool = False) -> bool:
    """Whether the message asks something: "berapa lama dijawab", "bayar gak sih ini?". Not "Jl. Mawar 5?".

    `wholly`: and says nothing else before, as a name.
    """
    if contains_personal_data(message):
        return False
    spelling = normalise(message)
    words = re.findall(r"[^\W_]+", spelling)
    if _BEGINS_ASKING.match(spelling) or _ASKS_WITHIN.search(spelling):
        return len(words) > 1
    if not wholly and (_ENDS_ASKING.search(spelling) or _ASKS_IN_A_CLAUSE.search(message.lower())):
        return len(words) > 1
    if not wholly and len(words) > 2 and _ENDS_WITH_NOT.search(message):
        return True
    return message.rstrip().endswith("?") and len(words) > 1 and bool(not re.search(r"\d", spelling) or _ASKS_WHETHER.search(spelling))


def with_question(message: str) -> tuple[str, str] | None:
    """An answer and the question behind it: "Jaksel. btw is my name needed?"."""
    for turn in _TURN.finditer(message):
        answer, question = message[: turn.start()].strip(), message[turn.end() :].strip()
        if answer and is_question(question):
            return None if is_question(answer) else (answer, question)
    return None


def turns_aside(question: str) -> bool:
    """Whether a question begins with a word for another thought: "btw", "eh"."""
    return bool(_APART.match(question))


def is_grumble(message: str) -> bool:
    """Whether a short message complains of so many questions: "kok banyak banget nanyanya"."""
    spelling = normalise(message)
    return len(spelling.split()) <= LONGEST_GRUMBLE and bool(_TOO_MUCH.search(spelling) and _OF_QUESTIONS.search(spelling))


def wants_to_be_told(message: str) -> bool:
    """Whether the message asks without the form of a question: "info biaya dong", "mau nanya soal tenggat"."""
    return bool(_WANTS_TOLD.search(normalise(message)))


def wants_again(message: str) -> bool:
    """Whether the message asks for the same once more, or for its source, which stands under it: "tolong ulangi", "sumbernya apa"."""
    spelling = normalise(message)
    return len(spelling.split()) <= LONGEST_CALL and bool(_AGAIN.search(spelling))


def rejects(message: str) -> bool:
    """Whether a short message begins by rejecting what was said: "bukan itu", "lho bukan korupsi, jalan rusak"."""
    spelling = normalise(message)
    return len(spelling.split()) <= LONGEST_REJECTION and bool(_REJECTS.match(spelling))


def turned_to(message: str) -> str:
    """What a short message wants that begins by rejecting something: "mau lapor" of "bukan, mau lapor".

    Empty for any other, and for "bukan mau lapor", which rejects the wish.
    """
    spelling = normalise(message)
    turns = _TURNS_TO.match(spelling) if len(spelling.split()) <= LONGEST_REJECTION else None
    if turns is None:
        return ""
    stands_alone = _REJECTION_ALONE.fullmatch(normalise(re.split(r"[,.;!]", message, maxsplit=1)[0]))
    return spelling[turns.end() :] if stands_alone or turns["more"] or turns[0].startswith("tidak") else ""


def is_puzzled(message: str) -> bool:
    """Whether the message only shows that the question was not understood: "hah?", "maksudnya?", "terus"."""
    words = re.findall(r"[^\W_]+", normalise(message))
    return bool(words) and all(word in _PUZZLED for word in words)


def announced_question(message: str) -> str | None:
    """The question behind words that announce one: "bayar tidak?" of "sebenarnya saya mau tanya dulu, bayar tidak?"."""
    found = _ANNOUNCES.match(message)
    return message[found.end() :].strip() or None if found else None


def is_small_talk(message: str) -> bool:
    """Whether nothing but thanks, a greeting or an insult is said: "makasih ya", "siang min"."""
    words = re.findall(r"[^\W_]+", normalise(message))
    return bool(words) and all(word in _words() for word in words)


def is_sorrow(message: str) -> bool:
    """Whether the message tells of the own grief, loneliness or loss, and asks nothing: "istri saya meninggal bulan lalu"."""
    spelling = normalise(message)
    if is_question(message) or _SHOWN.search(spelling):
        return False
    return bool(_LOSS.search(spelling) or (_SADNESS.search(spelling) and _WHOSE.search(spelling)))


def tells_who(message: str) -> bool:
    """Whether the answer to any question of a form may hold a name, address or contact: "namanya salah, harusnya Budi"."""
    return bool(_TELLS_WHO.search(message)) and not is_question(message)
