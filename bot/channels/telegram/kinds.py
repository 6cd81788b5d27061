"""What a message of Telegram is where it is more, or other, than text: the sentence it gets and what the log keeps of it."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Update
from telegram.ext import filters


@dataclass(frozen=True)
class Kind:
    sentence: str
    """Of domain.yml."""
    logged: str
    """Nothing else of it is kept."""


_SOUND = Kind("utter_no_sound", "[pesan suara]")
_PICTURE = Kind("utter_no_picture", "[gambar]")
_FILE = Kind("utter_no_file", "[berkas]")
_PLACE = Kind("utter_no_location", "[lokasi]")
_OTHER = Kind("utter_text_only", "[bukan teks]")
KINDS = {
    "voice": _SOUND,
    "audio": _SOUND,
    "video_note": _SOUND,
    "photo": _PICTURE,
    "video": _PICTURE,
    "animation": _PICTURE,
    "document": _FILE,
    "sticker": Kind("utter_no_sticker", "[stiker]"),
    "venue": _PLACE,
    "location": _PLACE,
    "contact": Kind("utter_no_contact", "[kontak]"),
    "poll": Kind("utter_no_poll", "[jajak pendapat]"),
}
"""In this order: an animation is a document, too, and a venue a location."""
KIND_KEY = "sapa_kind"
"""In a message of which python-telegram-bot could read only the rest (`reading.py`): the name of its kind."""
CAPTION_ONLY = "utter_caption_only"


def kind_of(update: Update) -> Kind | None:
    """None for plain text, and for what Telegram only reports, such as a pinned message."""
    message = update.message
    if message is None or message.text is not None or filters.StatusUpdate.ALL.check_update(update):
        return None
    unread = message.api_kwargs.get(KIND_KEY)
    return next((kind for name, kind in KINDS.items() if getattr(message, name) or name == unread), _OTHER)
