"""The neutral message as Telegram's HTML, in pieces that Telegram takes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from bot.markup import Span, spans, to_telegram_html
from bot.messages import Outbound

LONGEST = 4096
"""UTF-16 units that Telegram counts in the text that is seen."""


def pieces(message: Outbound) -> list[str]:
    """The message with its sources below, cut between lines or words where it is too long; bold words and links stay whole."""
    sources = "".join(_source(source) for source in message.sources)
    cut = [to_telegram_html(piece) for piece in _cut(message.text, LONGEST - 600 if sources else LONGEST)]
    return [*cut[:-1], cut[-1] + sources]


def _source(source: dict[str, str]) -> str:
    title = html.escape(source["title"], quote=False)
    named = f'<a href="{html.escape(source["url"])}">{title}</a>' if source["url"] else title
    return f"\n\n<i>{named} · {source['checked_on']}</i>"


def _cut(text: str, longest: int) -> list[str]:
    if _size(text) <= longest:
        return [text]
    found = [""]
    for part in _parts(text, longest):
        if _size(found[-1] + part) > longest:
            found.append("")
            part = part.lstrip()
        found[-1] += part
    return [piece.strip() for piece in found if piece.strip()]


def _parts(text: str, longest: int) -> Iterator[str]:
    """What must not be cut: words, bold words, links. Where one alone is too long, as many characters as fit."""
    for number, line in enumerate(text.split("\n")):
        if number:
            yield "\n"
        for span in spans(line):
            for part in _parts_of(span):
                while _size(part) > longest:
                    yield part[: longest // 2]
                    part = part[longest // 2 :]
                yield part


def _parts_of(span: Span) -> list[str]:
    if span.kind == "link":
        return [f"[{span.text}]({span.url})"]
    words = re.findall(r"\s*\S+|\s+$", span.text)
    if span.kind == "bold":
        return [re.sub(r"(\s*)(\S+)", r"\1**\2**", word) for word in words]
    return words


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
