"""Secrets and personal values that a test plants, and the search for them in bytes, in whatever spelling they lie there."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

NIK, PHONE, EMAIL = "3273014506920007", "0812-9876-1234", "wulandari.p.1992@contoh.co.id"
PASSPORT, CARD, NPWP = "C7654321", "4556 7375 8689 9855", "09.254.294.3-407.000"
NAME, ADDRESS = "Wulandari Prameswari", "Jalan Bougenville Raya 77, Temanggung, Jawa Tengah"
EVERYTHING = f"NIK saya {NIK}, hp {PHONE}, surel {EMAIL}, paspor {PASSPORT}, kartu {CARD}, NPWP {NPWP}"
FIRST_NAME, USERNAME, CHAT = "Kartikasari", "kartikasari_hadiningrat", 987_654_321_012
PASSWORD, WRONG_PASSWORD, LOGIN_TYPED = "sepeda onthel biru tua 1987", "sepeda onthel biru muda 1987", "kata-sandi-di-kolom-nama"
BOT_TOKEN = "7654321:AAH-rahasiaBotTokenUjiCoba_9xQ"
SIMPEL_CODE, WRONG_CODE = "7K4Q2A", "9Z8Y7X"
NOTE = "Rumah pemohon pagar hijau seberang surau Al-Ikhlas"
ANSWER = "Salinan notulen nomor lima puluh tujuh kami kirim kepada pemohon"
CONVERSATION_NOTE = "Warga ini sepupu camat Kledung"
CITIZENS_NOTE = "Tolong hubungi keponakan saya Rangga Wiratmaja di nomor 0813-4567-8901"
FILE_NAME, FILE_TEXT = "notulen-pribadi-prameswari.pdf", "Isi notulen rapat tertutup Parakan"


@dataclass
class Planted:
    """What must not be found, by what it is; more are added as the run makes them."""

    values: dict[str, str] = field(
        default_factory=lambda: {
            "NIK": NIK,
            "phone": PHONE,
            "phone as stored": "+6281298761234",
            "e-mail": EMAIL,
            "passport": PASSPORT,
            "card": CARD,
            "NPWP": NPWP,
            "name": NAME,
            "address": "Bougenville Raya",
            "Telegram name": FIRST_NAME,
            "Telegram user name": USERNAME,
            "Telegram chat": str(CHAT),
            "password": PASSWORD,
            "wrong password": WRONG_PASSWORD,
            "password in the field for the name": LOGIN_TYPED,
            "bot token": BOT_TOKEN,
            "SIMPEL code": SIMPEL_CODE,
            "wrong code": WRONG_CODE,
            "note of an officer": NOTE,
            "answer to a ticket": ANSWER,
            "note on a conversation": CONVERSATION_NOTE,
            "note of the citizen": "Rangga Wiratmaja",
            "phone in a note": "0813-4567-8901",
            "name of a file": FILE_NAME,
            "text of a file": FILE_TEXT,
        }
    )

    def found_in(self, content: bytes, *, but: Iterable[str] = ()) -> list[str]:
        """Which of them lie in `content`, in any of their `spellings`."""
        wanted = {what: value for what, value in self.values.items() if what not in but}
        return [what for what, value in wanted.items() if any(spelling in content for spelling in spellings(value))]


def spellings(value: str) -> set[bytes]:
    """As it is, in small and capital letters, without separators, in UTF-16, quoted, in hex, in base64 at any place, as an integer."""
    plain = "".join(character for character in value if character.isalnum())
    is_number = plain.isdigit() and len(plain) > 5
    texts = {value, value.lower(), value.upper()} | ({plain} if is_number else set())
    found = set()
    for text in texts:
        raw = text.encode()
        found |= {raw, text.encode("utf-16-le"), quote(text).encode(), text.replace(" ", "+").encode(), raw.hex().encode()}
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + raw)
            whole = encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
            found |= {whole, whole.translate(bytes.maketrans(b"+/", b"-_"))}
    if is_number and 2**32 < int(plain) < 2**47:
        found.add(int(plain).to_bytes(6, "big"))  # as SQLite writes it
    return found


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
