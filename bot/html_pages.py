"""Pages for citizens, each a template and its texts under one name in templates/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from services.receipts import LinkFault

TEMPLATES = Path(__file__).with_name("templates")
BEHIND_A_LINK = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}
"""Headers of what opens to whoever has its signed link."""
STATUS_OF_FAULT = {LinkFault.EXPIRED: 410, LinkFault.FORGED: 404}


class HtmlPage:
    def __init__(self, name: str) -> None:
        environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(["html"]))
        self._template = environment.get_template(f"{name}.html")
        self.texts: dict[str, dict[str, Any]] = yaml.safe_load((TEMPLATES / f"{name}.yml").read_text(encoding="utf-8"))

    def render(self, locale: str, **values: Any) -> str:
        """In the template: `t` the texts in this language, `locale`, and `values`."""
        return self._template.render(t=self.texts[locale], locale=locale, **values)

    def of_fault(self, request: Request, fault: LinkFault) -> HTMLResponse:
        """Why a signed link does not open, and how to get another one."""
        return HTMLResponse(self.render(language_of(request), fault=fault.value), STATUS_OF_FAULT[fault], BEHIND_A_LINK)


def language_of(request: Request) -> str:
    """The language that the browser asks for, where no conversation has one."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "id"
