"""The neutral message as Telegram's HTML, in pieces that Telegram takes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.markup import Span, is_safe_url, spans, to_telegram_html
from bot.messages import Outbound

LONGEST = 4096
"""UTF-16 units that Telegram counts in the text that is seen."""
LONGEST_TITLE = 300
"""Of a source, in characters: it is a name, and stays in one piece."""
_TAGS = re.compile(r"</?(?:b|i|a)(?: href=\"[^\"]*\")?>")


def pieces(message: Outbound) -> list[str]:
    """The message with its sources below, cut between lines or words where it is too long; bold words and links stay whole."""
    cut = [to_telegram_html(piece) for piece in _cut(message.text)]
    return _with_sources(cut, (_source(source) for source in message.sources))


def seen(piece: str) -> str:
    """A piece without its tags, as the reader sees it."""
    return html.unescape(_TAGS.sub("", piece))


def size(text: str) -> int:
    """In UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _with_sources(cut: list[str], sources: Iterable[str]) -> list[str]:
    for source in sources:
        if cut and size(seen(f"{cut[-1]}\n\n{source}")) <= LONGEST:
            cut[-1] = f"{cut[-1]}\n\n{source}"
        else:
            cut.append(source)
    return cut


def _source(source: dict[str, Any]) -> str:
    title = html.escape(source["title"][:LONGEST_TITLE], quote=False)
    url = source["url"] or ""
    named = f'<a href="{html.escape(url)}">{title}</a>' if is_safe_url(url) else title
    return f"<i>{named} · {html.escape(source['checked_on'], quote=False)}</i>"


def _cut(text: str) -> list[str]:
    if size(text) <= LONGEST:
        return [text] if text.strip() else []
    found = [""]
    for part in _parts(text):
        if size(found[-1] + part) > LONGEST:
            found.append("")
            part = part.lstrip()
        found[-1] += part
    return [piece.strip() for piece in found if piece.strip()]


def _parts(text: str) -> Iterator[str]:
    """What must not be cut: words, bold words, links. Where one alone is too long, as many characters as fit."""
    for number, line in enumerate(text.split("\n")):
        if number:
            yield "\n"
        for span in spans(line):
            for part in _parts_of(span):
                while size(part) > LONGEST:
                    yield part[: LONGEST // 2]
                    part = part[LONGEST // 2 :]
                yield part


def _parts_of(span: Span) -> list[str]:
    if span.kind == "link":
        return [f"[{span.text}]({span.url})"]
    words = re.findall(r"\s*\S+|\s+$", span.text)
    if span.kind == "bold":
        return [re.sub(r"(\s*)(\S+)", r"\1**\2**", word) for word in words]
    return words
