"""Recognises the few words that steer a form, in any register. Longer wishes are the intent classifier's."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

from services.spelling import normalise

COMMANDS_FILE = Path(__file__).with_name("commands.yml")
POLITE = re.compile(
    r"\b(?:kak|pak|bu|min|mas|mbak|dong|deh|ya|sih|lah|saja|please|tolong|dulu|iya|ah|hm|hmm|eh|oh|nah|duh|maaf|sudahlah|yasudah|ywdh|yaudah|udahlah|kok|nih|tuh|gan|bang|nak)\b"
)

OF_THE_FORM = re.compile(
    r"\b(?:saya|mau|ingin|mending|sudah|ah|eh|ini|itu|dari|sekarang|semuanya|(?:form|formulir|isian|pengisian|pengajuan|proses)(?:nya)?"
    r"|terima kasih|i|want to|would like to|this|the)\b"
)
"""Words around a cancel that leave it one: "saya mau batalkan pengisian ini". Any other word may name something else to cancel."""


_YES = frozenset(
    "iya betul benar setuju menyetujui kirim dikirim kirimkan yakin oke lanjut lanjutkan cocok leres yes ok agree send correct".split()
)
_SENDS = re.compile(r"\b(?:kirim(?:kan|in)?|dikirim|send)\b")
_BESIDE_YES = frozenset(
    """
    saya aku kulo beta ku kami sudah dh semua semuanya itu data datanya isinya isian sekarang langsung mau boleh saja segitu cukup
    udeh dah nggih inggih le nduk
    mantap mantul jos bagus top keren pas good great fine
    mama ibu bapak
    ayah wali atuh mawon we wae sip sangat begitu gitu silakan monggo mangga la lah ka sekali gas siap it all now i everything is
    """.split()
)
"""A message of these words alone is a yes, with one of the first at least: "sudah benar semua, kirim sekarang"."""
_SKIPS = frozenset("lewati lewat lewatkan lewatin dilewati dilewat skip kosong kosongkan kosongin dikosongkan dikosongin".split())
_EVERYTHING_LEFT = frozenset("semua semuanya sisa sisanya lain lainnya selebihnya all everything rest others".split())
_BESIDE_SKIPS = frozenset("yang opsional wajib tidak bisa boleh langsung biar biarkan mau saya to the it i be can leave empty".split())
"""A message of these alone skips all that may stay empty, with one of the first and one of the second: "yang lain lewati semua"."""
_ENOUGH = re.compile(
    r"(?:oke )?(?:itu saja|(?:(?:sudah|cukup) )+(?:itu|segitu|segini|sekian)|segitu|segini|sekian|(?:sudah )?cukup"
    r"|that(?:'s| is) (?:all|it)|nothing (?:else|more))(?: saja| dulu| cukup| terima kasih)*"
)
"""The same: "udah itu aja kak", where nothing more will be told."""
_NOT_CALLED_OFF = re.compile(
    r"(?:(?:eh|oh|iya|oke|maaf|tolong) )*(?:tidak jadi|jangan|tidak (?:usah|perlu|mau|ingin)|don't|do not)(?: saya| kami)? "
    r"(?:(?:di)?(?:batal(?:kan|in)?|hapus|cancel|stop|hentikan)|berhenti)(?: (?:dulu|form\w*|formulir\w*|isian\w*|dong|deh|it|saya))*"
    r"(?: ?,? ?(?:lanjut\w*|terus\w*|go on|continue|let's)\b.{0,30})?"
)
"""Takes a cancel back: "eh gak jadi batal deh, lanjut"."""
_GO_ON = re.compile(
    r"(?:(?:oke|iya|ya|eh|mari|ayo|let's) )*(?:lanjut\w*|melanjutkan|terus(?:kan|in)|continue|go on)"
    r"(?: (?:isi|mengisi|dong|dulu|saja|lagi|yang|with))* "
    r"(?:form\w*|isian\w*|aspirasi\w*|permohonan\w*|keberatan\w*|kunjungan\w*|magang\w*|tadi|request|the form|it)"
    r"(?: (?:saya|tadi|dong|saja|yang))*"
)
"""The form, which is open: "lanjut aspirasi tadi"."""
_BUSY = re.compile(
    r"(?:(?:oke|iya|ya|eh|maaf) )*(?:bentar|sebentar|tunggu|wait|hold on)\b.{0,40}\b(?:ngetik|mengetik|nyetir|menyetir|ambil|ngambil"
    r"|cari|nyari|mikir|makan|rapat|sholat|salat|sinyal|lihat|liat|cek|ngecek|tanya|type|typing|driving|look)\b.{0,30}"
)
_LONGEST_BUSY = 10
_LONGEST_STOP, _LONGEST_BARE_STOP = 20, 6
"""In words; the second where a clause says only that, which may be of something told: "hentikan. tambang itu merusak sungai"."""
_BARE_STOPS = {"stop", "berhenti", "hentikan", "tidak jadi"}
_STOP = (
    r"(?:tidak jadi|stop|berhenti|hentikan|tidak (?:mau|usah|perlu) (?:lanjut|dilanjut\w*|diteruskan|diterusin|terus|dikirim)"
    r"|(?:won't|don't want to) continue)"
)
_BEFORE_STOP = r"(?:kayaknya|sepertinya|lho|kan|saya|kami|bilang|mending|sudah|cukup|aku|kalau begitu|begitu|i|said|think)"
_STOPS = re.compile(rf"(?:(?:{_BEFORE_STOP}|{_STOP}) ){{0,12}}{_STOP}(?: (?:saja|lagi|now|biar \w+(?: \w+){{0,3}}))?")
_LETS_GO = frozenset({"batal", "tidak jadi", "gajadi", "cancel", "never mind"})
"""A message that begins with such a clause cancels, whatever it says after it: "batal, SP-nya belum terbit"."""


class Command(StrEnum):
    CANCEL = "cancel"
    BACK = "back"
    RESTART = "restart"
    REPEAT = "repeat"
    """The open question once more; nothing that was given is lost."""
    SKIP = "skip"
    SKIP_ALL = "skip_all"
    """Everything that may stay empty."""
    YES = "yes"
    NO = "no"
    WAIT = "wait"
    CHANGE = "change"
    """Something in the summary has to be changed; which part is not said."""
    LEAVE_OFFICER = "leave_officer"
    """Out of the officers' queue, or back from an officer to the assistant."""


@cache
def _spellings() -> dict[str, Command]:
    lists = yaml.load(COMMANDS_FILE.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 makes strings only; `yes` and `no` are names here
    return {normalise(spelling) or spelling: Command(name) for name, spellings in lists.items() for spelling in spellings}


def without_politeness(message: str) -> str:
    """The message in normalised spelling, without the words of politeness in it."""
    return " ".join(POLITE.sub(" ", normalise(message)).split())


def find_command(message: str) -> Command | None:
    """The command that the whole message is, with or without polite words around it, once or in several clauses."""
    spelling = without_politeness(message)
    if _NOT_CALLED_OFF.fullmatch(spelling) or _GO_ON.fullmatch(spelling):
        return Command.REPEAT
    if len(spelling.split()) <= _LONGEST_BUSY and _BUSY.fullmatch(spelling):
        return Command.WAIT
    return _whole(message) or _in_clauses(message) or (Command.CANCEL if _stops(message) else None)


def _whole(message: str) -> Command | None:
    spelling = re.sub(r"[?!]", "", normalise(message)).strip() or message.strip()
    bare = " ".join(POLITE.sub(" ", spelling).split())
    if not bare and "iya" in spelling.split():  # "iya dong": nothing but a yes and politeness
        return Command.YES
    found = _spellings().get(spelling) or _spellings().get(bare)
    if found is None and _spellings().get(" ".join(OF_THE_FORM.sub(" ", bare).split())) is Command.CANCEL:
        return Command.CANCEL
    words = set(re.findall(r"\w+", spelling))
    if found is None and (_skips_all(words) or _is_enough(spelling)):
        return Command.SKIP_ALL
    if found is None and words & _YES and not POLITE.sub("", " ".join(words - _YES - _BESIDE_YES)).strip():
        return Command.YES
    return found


def _is_enough(spelling: str) -> bool:
    kept = POLITE.sub(lambda polite: polite[0] if polite[0] in ("saja", "dulu") else " ", spelling)
    return bool(_ENOUGH.fullmatch(" ".join(kept.split())))


def _skips_all(words: set[str]) -> bool:
    others = words - _SKIPS - _EVERYTHING_LEFT - _BESIDE_SKIPS
    return bool(words & _SKIPS and words & _EVERYTHING_LEFT) and not POLITE.sub("", " ".join(others)).strip()


def sends(message: str) -> bool:
    """Whether a yes says to send, and so that nothing more will be told: "segitu aja, langsung kirim"."""
    return bool(_SENDS.search(normalise(message)))


def _stops(message: str) -> bool:
    """Whether a clause of a short message says to stop, in words of one's own: "kayaknya saya gak jadi deh, males"."""
    clauses = [without_politeness(clause) for clause in re.split(r"[,;.!?\n]+", message)]
    words = len(message.split())
    return words <= _LONGEST_STOP and any(
        _STOPS.fullmatch(clause) and (clause not in _BARE_STOPS or words <= _LONGEST_BARE_STOP) for clause in clauses
    )


def _in_clauses(message: str) -> Command | None:
    """ "Gak usah deh, nggak jadi" cancels; "ya, kirim" is a yes. None where a clause says something else."""
    clauses = [clause for clause in re.split(r"[,;.!\n]+", message) if clause.strip()]
    if len(clauses) > 1 and without_politeness(clauses[0]) in _LETS_GO:
        return Command.CANCEL
    if not 2 <= len(clauses) <= 4:
        return None
    meant = {_whole(clause) for clause in clauses}
    if None not in meant and Command.CANCEL in meant:
        return Command.CANCEL
    return meant.pop() if len(meant) == 1 else None


ORDINALS = {
    word: number
    for number, words in enumerate(
        (
            "pertama kesatu satu first one",
            "kedua dua second two",
            "ketiga tiga third three",
            "keempat empat fourth four",
            "kelima lima fifth five",
            "keenam enam sixth six",
            "ketujuh tujuh seventh seven",
        ),
        start=1,
    )
    for word in words.split()
}
_LEADING_WORDS = r"(?:(?:yang|pilih|pilihan|opsi|nomor|no|angka|aku|saya|ke|the|option|number|choose|i'll take)\W{0,2})*"


def find_ordinal(message: str) -> int | None:
    """1 for "1", "yg pertama", "nomor 1", "the first one"; None for anything that says more than a choice."""
    spelling = without_politeness(message)
    if spelling.endswith(" one"):  # "the second one", but "number one"
        spelling = spelling.removesuffix(" one") if spelling.split()[-2] in ORDINALS else spelling
    match = re.fullmatch(rf"{_LEADING_WORDS}(?:ke\s?)?(\d{{1,2}}|[a-z]+)\W*", spelling)
    if match is None:
        return None
    return int(match[1]) if match[1].isdigit() else ORDINALS.get(match[1])
