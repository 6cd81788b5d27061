"""Tells English from Indonesian by function words. Says nothing where a message gives too little to go by."""

from __future__ import annotations

import re

from services.spelling import joined

ENGLISH = frozenset(
    """
        the a an is are was were be been am i i'm i'd i'll i've my me we our you your he she it they them this that
        these those there what how when where who why which can could would should will may might must do does did
        don't doesn't didn't not no yes of to in on at for with from by about and or but if so because have has had
        get got want need like please thanks thank hello hi just any some more than then here it's what's how's let's
        check code number request good morning afternoon evening
    """.split()
)
INDONESIAN = frozenset(
    """
        yang dan di ke dari untuk dengan ini itu apa apakah bagaimana gimana gmn kapan siapa dimana mana kenapa berapa
        brp saya aku gue gw kami kita anda kamu dia mereka tidak nggak gak ga ngga enggak bukan belum blm sudah udah
        udh akan bisa boleh mau ingin minta tolong mohon terima kasih makasih pak bu kak min mas mbak ya iya dong sih
        deh kok nih tuh lah pun juga jg aja saja kalau kalo klo karena krn tapi tp atau ada adalah bahwa pada dalam
        seperti kayak buat bgt banget lagi lg sdh jangan cara syarat nomor nomer kode cek magang surat izin ke
        lho tho mah teh atuh euy piye opo ora iki kumaha naon teu abdi punten
    """.split()
)


CLEAR_ALONE = frozenset(
    """
    hello hi thanks thank please sorry goodbye halo makasih maaf iya tidak terima kasih selamat
""".split()
)


def detect(text: str) -> str | None:
    """`"en"`, `"id"` or None."""
    words = re.findall(r"(?<![\w-])[a-z]+(?:'[a-z]+)?(?![\w-])", joined(text).lower())  # and no letter of a number or a code
    english = sum(word in ENGLISH for word in words)
    indonesian = sum(word in INDONESIAN for word in words)
    clear = len(words) <= 3 and any(word in CLEAR_ALONE for word in words)
    if indonesian and not english:
        return "id"
    if english == indonesian or max(english, indonesian) < (1 if clear else 2):
        return None
    return "en" if english > indonesian else "id"
