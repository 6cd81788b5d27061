"""The widget on other websites: whose pages may talk to the web channel, and what their webmasters need."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.settings import PROJECT

WIDGET = PROJECT / "widget"
TEMPLATES = Path(__file__).with_name("templates")


def listed_origins(setting: str) -> list[str]:
    """The origins of `SAPA_ALLOWED_ORIGINS` as browsers write them: in lower case, without a slash at the end."""
    return [origin.strip().rstrip("/").lower() for origin in setting.split(",") if origin.strip()]


def from_listed_pages(origins: list[str]) -> Callable[[Request], Awaitable[None]]:
    """A dependency that refuses a request from a page of another website with 403, before anything is done for it.

    CORS alone keeps the answer from such a page but not the request, which may have opened a conversation by then.
    What is not sent by a page, such as a script on a server, names no origin and is let through.
    """

    async def refuse_strangers(request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is None or origin in origins:
            return
        # Browsers say it themselves on https, whatever a proxy made of the host.
        site = request.headers.get("sec-fetch-site")
        own = site == "same-origin" if site else urlsplit(origin).netloc == request.headers.get("host")
        if not own:
            raise HTTPException(403, "origin_not_listed")

    return refuse_strangers


def integrity(file: Path = WIDGET / "widget.js") -> str:
    """The value of the attribute `integrity` for a file as it is served (Subresource Integrity, SHA-384)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(file.read_bytes()).digest()).decode()


def embedding_guide(server: str, listed: str) -> str:
    """What a webmaster puts on a page and into its policy, for a server at `server`, which lists the origins `listed`."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined)  # noqa: S701 plain text for a terminal
    return environment.get_template("embed.txt").render(server=server, integrity=integrity(), origins=listed_origins(listed))
