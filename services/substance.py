"""Whether a first message tells what an errand is about, or only that somebody has one."""

from __future__ import annotations

import re

from rapidfuzz import fuzz, process

from services.fields import Check, Rejection, without_personal_data
from services.privacy import contains_personal_data
from services.spelling import normalise

WISH_WORDS = frozenset(
    """
    saya aku gue gw kami mau ingin hendak pengin pengen mohon minta tolong bisa boleh dong ya kak pak bu min mas mbak halo hai permisi
    selamat pagi siang sore malam menyampaikan sampaikan kirim mengirim kasih memberi memberikan mengajukan ajukan ngajuin nyampein
    titip sebuah satu aspirasi usul usulan saran masukan pendapat kritik permohonan permintaan informasi publik data dokumen keberatan
    kunjungan magang pendaftaran daftar kepada ke untuk pemerintah presiden setneg kemensetneg kementerian menteri lewat di sini
    tentang soal mengenai terkait i want to would like send submit an a my suggestion request public information please the
    tidak tetapi tapi menyebut menyebutkan sebut nyebut nama identitas tanpa anonim secara anonymous anonymously
    buat bikin nulis tulis isi form formulir dan yang ini itu ada ingin mau bagaimana cara ppid sekarang segera nih deh saja juga lagi
    bikinin buatin buatkan siapin siapkan bantu dibantu proses diproses catat dicatat langsung mulai jadi sudah siap dulu resmi oke apa
    skripsi tugas akhir nama atas let's lets start make ready how do does can could ask for this that it about some any
    me we our get have need file apply use there is are what where i'd i'm iya lanjut lanjutkan ajuin ngajuin
    kirimin dikirimi dapatkah dibuka butuh perlu memerlukan cari opinion share policy government
    """.split()
)
SUBSTANTIAL_WORDS = 5
_AS_GOOD_AS_A_WISH_WORD = 85
"""Likeness in percent of a misspelt one ("prmohonan")."""

_INTRODUCTION = re.compile(
    r"^(?:\w+ ){0,2}(?:saya|kami|aku|beta|sa|aye|abdi|kula|kulo|ambo|den|i|we)(?: \w+){0,2} (?:dari|asal|from|warga)(?: \w+){1,3}? "
    r"(?=(?:mau|ingin|hendak|minta|mohon|butuh|perlu|pengen|pengin|want|would|need|request)\b)"
)
"""Who asks, before the wish: "beta dari Rote mau minta informasi publik"."""


def substance(message: str, check: Check, enough: int = SUBSTANTIAL_WORDS) -> str | None:
    """The message as the value of a free text, where it says more than that somebody wants to write one; no personal numbers.

    `enough` words beside those of the wish are more.
    """
    message = without_personal_data(message).strip(" ,;\n") if contains_personal_data(message) else message
    told = _INTRODUCTION.sub("", normalise(message))
    telling = [word for word in told.split() if len(word) > 2 and not _is_of_a_wish(word)]
    value = check(message) if len(telling) >= enough else None
    return None if isinstance(value, Rejection) else value


def _is_of_a_wish(word: str) -> bool:
    near = len(word) > 3 and process.extractOne(word, WISH_WORDS, scorer=fuzz.ratio, score_cutoff=_AS_GOOD_AS_A_WISH_WORD)
    return word in WISH_WORDS or bool(near)
