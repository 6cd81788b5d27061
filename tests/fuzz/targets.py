"""What is fuzzed: each target reads one text and holds what must be true of the answer. A broken promise is an AssertionError."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from html.parser import HTMLParser

from pydantic import ValidationError

from bot.channels.telegram.text import pieces, seen, size
from bot.channels.web import NewMessage
from bot.markup import is_safe_url, spans, to_plain, to_telegram_html
from bot.messages import Button, Outbound, Unreadable, clean, visible
from services import contact_reading, fields, simpel, tickets
from services.date_reading import read_date
from services.knowledge_files import KnowledgeError, parse_entry
from services.knowledge_form import KnowledgeForm
from services.privacy import mask
from services.status_checks import mask_factors

TODAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
LARGEST_PIECE = 4096
"""UTF-16 units: what Telegram takes."""


class Tags(HTMLParser):
    """Telegram's reading: every tag that is opened is closed, in order, and none but ours is there."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("a", "b", "i"), tag
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else []), attrs
        assert tag != "a" or is_safe_url(attrs[0][1] or ""), attrs
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def telegram(text: str) -> None:
    Tags(to_telegram_html(text))
    source = {"title": text[:80], "url": "https://a.go.id", "checked_on": "2026-11-23"}
    message = Outbound(1, "bot", text, AT, [Button("b", "Ya")], [source])
    for piece in pieces(message):
        Tags(piece)
        assert size(seen(piece)) <= LARGEST_PIECE


def markup(text: str) -> None:
    for line in text.split("\n"):
        for span in spans(line):
            assert span.kind != "link" or is_safe_url(span.url)
    to_plain(text)


def message(text: str) -> None:
    visible(text)
    cleaned = clean(text)
    assert isinstance(cleaned, Unreadable) or cleaned.strip()
    with suppress(ValidationError):
        NewMessage.model_validate_json(text)


def knowledge(text: str) -> None:
    """What can be used comes through the desk's form unchanged; what can't is a `KnowledgeError`, and the form says what is wrong."""
    try:
        entry = parse_entry("uji", text)
    except KnowledgeError:
        pass
    else:
        assert parse_entry("uji", KnowledgeForm.read(text).text()).answers == entry.answers
    form = KnowledgeForm.of({field.name: text for field in dataclasses.fields(KnowledgeForm)})
    form.faults(TODAY, asked={}, taken=False)
    form.advice(TODAY)


def numbers(text: str) -> None:
    for to_come in (True, False):
        found = read_date(text, TODAY, to_come=to_come)
        assert found is None or isinstance(found, date)
    number = tickets.normalise_number(text)
    assert number is None or re.fullmatch(r"(?:ASP|PIP|KEB)-\d{8}-[0-9A-Z]{4}", number), number
    found_number = simpel.find_number(text)
    if found_number:
        normal = simpel.normalise_number(found_number)
        assert simpel.normalise_number(normal) == normal
    for read in (contact_reading.phone, contact_reading.email, fields.name, fields.address, fields.contact, tickets.normalise_code):
        read(text)


def masking(text: str) -> None:
    once = mask(text)
    again = mask(once.text)
    assert again.text == once.text, (once.text, again.text)
    assert not again.found
    mask(mask_factors(text))


TARGETS: dict[str, Callable[[str], None]] = {
    "telegram": telegram,
    "markup": markup,
    "message": message,
    "knowledge": knowledge,
    "numbers": numbers,
    "masking": masking,
}
