"""The little markup of our messages, taken apart once for every channel that renders it.

`**bold**`, `- lists` and `[links](https://…)`; a link of any other scheme than https, mailto and tel stays plain text, and so
does one with a user name before "@", which could fake a host. One exception: a receipt or a download on the reader's own machine,
where a server without a public address serves it (docs/adr/0006).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_INLINE = re.compile(r"\*\*(?P<bold>[^*\n]{1,500})\*\*|\[(?P<label>[^\[\]\n]{1,300})\]\((?P<url>[^()\s]{1,500})\)")
_SAFE_URL = re.compile(
    r"(?:https://(?![^/?#]*@)|mailto:|tel:)[^\s<>\"']+|http://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?/(?:tanda-terima|data-saya)/[\w.-]+",
    re.IGNORECASE,
)


def is_safe_url(url: str) -> bool:
    return bool(_SAFE_URL.fullmatch(url))


@dataclass(frozen=True)
class Span:
    kind: Literal["text", "bold", "link"]
    text: str
    url: str = ""


def spans(line: str) -> Iterator[Span]:
    """The parts of one line, in order."""
    position = 0
    for match in _INLINE.finditer(line):
        if match.start() > position:
            yield Span("text", line[position : match.start()])
        if match["bold"] is not None:
            yield Span("bold", match["bold"])
        elif is_safe_url(match["url"]):
            yield Span("link", match["label"], match["url"])
        else:
            yield Span("text", match.group())
        position = match.end()
    if position < len(line):
        yield Span("text", line[position:])


def to_telegram_html(text: str) -> str:
    """The tags `<b>` and `<a href>` and nothing else; list items begin with a bullet."""

    def one(span: Span) -> str:
        escaped = html.escape(span.text, quote=False)
        if span.kind == "bold":
            return f"<b>{escaped}</b>"
        return f'<a href="{html.escape(span.url)}">{escaped}</a>' if span.kind == "link" else escaped

    lines = (re.sub(r"^\s*-\s+", "• ", line) for line in text.split("\n"))
    return "\n".join("".join(one(span) for span in spans(line)) for line in lines)


def to_plain(text: str) -> str:
    """Without markup, for a terminal; a link shows its address."""

    def one(span: Span) -> str:
        return f"{span.text} ({span.url})" if span.kind == "link" else span.text

    return "\n".join("".join(one(span) for span in spans(line)) for line in text.split("\n"))
