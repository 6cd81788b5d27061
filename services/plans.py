"""What a sentence about a visit or an internship says of it: who comes, how many, from where, in which semester, when."""

from __future__ import annotations

import re

from services.dates import MONTHS

_PEOPLE = (
    r"(?:orang|siswa\w*|siswi|mahasiswa|mahasiswi|peserta|pelajar|murid|anak|guru|dosen|pendamping|peneliti|taruna|santri|people|students?"
    r"|pupils|participants|teachers|lecturers|visitors|pax)"
)
_GROUP = re.compile(
    rf"\b\d{{1,4}}\s+(?:orang\s+)?{_PEOPLE}(?:(?:\s*(?:,|dan|sama|plus|and|\+|&)\s*|\s+)\d{{1,3}}\s+{_PEOPLE})*\b", re.IGNORECASE
)
_SCHOOL = (
    r"(?:sma|smk|smp|sman|smkn|smpn|sd|sdn|man|mtsn?|tk|paud|universitas|univ|institut|politeknik|poltek\w*|sekolah\s+tinggi|akademi|stie|stia|uin"
    r"|iain|pesantren|ponpes|komunitas|yayasan|himpunan|bem)"
)
_BEHIND_A_NAME = (
    r"(?:mau|ingin|pengen|pengin|akan|berencana|rencana\w*|hendak|bermaksud|sebanyak|jumlah\w*|tanggal|tgl|pada|untuk|ke|bisa|boleh|dengan|dan|yang|yg"
    r"|jurusan|prodi|program|fakultas|semester|smt|kelas|angkatan|kunjungan|berkunjung|magang|mengajukan|daftar|tolong|mohon|minta|apakah|ada|kami|saya"
    r"|sekitar|kurang|bulan|minggu|hari|min|kak|pak|bu|nih|ya|dong|wants?|would|for|on|with|to|"
    + "|".join(name.lower() for names in MONTHS.values() for name in names)
    + r")\b"
)
_NAMED = re.compile(rf"\b(?P<name>{_SCHOOL}\b(?:\s+(?!{_BEHIND_A_NAME}|\d{{1,4}}\s+{_PEOPLE})[\w'-]+){{1,5}})", re.IGNORECASE)
_SHORT_NAME = re.compile(
    r"\b(?:dari|kampus|mahasiswa|mahasiswi|from|at|kuliah di)\s+"
    r"(?P<name>U[A-Z]{1,3}|IT[BS]|IPB|STAN|Un[a-z]{2,6}|UN[A-Z]{2,6}|un[a-z]{3,6})\b"
)
_NO_NAME = frozenset("untuk unit undang undangan umum unik until under unless university".split())
_SEMESTER = re.compile(
    r"\b(?:semester|smt|sem)\s*(?P<number>1[0-4]|[1-9]|akhir)\b|\b(?P<ordinal>[1-9])(?:st|nd|rd|th) semester\b", re.IGNORECASE
)
_MONTH = "|".join(
    sorted(
        {name.lower() for names in MONTHS.values() for name in names}
        | {"jan", "feb", "apr", "jun", "jul", "agt", "sep", "okt", "nov", "des"},
        key=len,
        reverse=True,
    )
)
_UNTIL = r"(?:sampai(?:\s+dengan)?|sampe|hingga|s/d|sd|ke|to|until|-|–)"
_PERIOD = re.compile(
    rf"\b(?:{_MONTH})\b(?:\s+20\d\d)?\s*{_UNTIL}\s*(?:{_MONTH})\b(?:\s+(?:20\d\d|tahun depan|next year))?", re.IGNORECASE
)


def people_of(message: str) -> str | None:
    """How many come, in the message's own words: "40 siswa dan 3 guru"."""
    found = _GROUP.search(message)
    return found[0] if found else None


def institution_of(message: str) -> str | None:
    """The school, university or society that is named: "SMA 3 Bandung", "Unhas"."""
    found = _NAMED.search(message) or _SHORT_NAME.search(message)
    name = found["name"].strip(" -'") if found else None
    return name if name and name.lower() not in _NO_NAME else None


def semester_of(message: str) -> str | None:
    found = _SEMESTER.search(message)
    return (found["number"] or found["ordinal"]) if found else None


def period_of(message: str) -> str | None:
    """From one month to another: "Januari sampai Maret 2027"."""
    found = _PERIOD.search(message)
    return found[0] if found else None
