"""The printable receipt of a ticket, behind a signed link. Its words stand in templates/receipt.yml."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from services import value_words
from services.dates import clock_time, long_date
from services.receipts import PATH, LinkFault, PrintedReceipt, Receipts
from services.ticket_words import word

TEMPLATES = Path(__file__).with_name("templates")
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}
STATUS = {LinkFault.EXPIRED: 410, LinkFault.FORGED: 404}


def receipt_page(receipts: Receipts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(["html"]))
    texts = yaml.safe_load((TEMPLATES / "receipt.yml").read_text(encoding="utf-8"))

    @router.get(PATH + "{token}")
    async def show(request: Request, token: str) -> HTMLResponse:
        found = await asyncio.to_thread(receipts.open, token)
        if isinstance(found, LinkFault):
            locale = "en" if request.headers.get("accept-language", "").lower().startswith("en") else "id"
            page = environment.get_template("receipt.html").render(t=texts[locale], locale=locale, fault=found.value)
            return HTMLResponse(page, STATUS[found], HEADERS)
        words = texts[found.locale]
        page = environment.get_template("receipt.html").render(t=words, locale=found.locale, fault=None, **shown(found, words))
        return HTMLResponse(page, headers=HEADERS)

    return router


def shown(receipt: PrintedReceipt, words: dict[str, Any]) -> dict[str, Any]:
    """What the template prints, in words."""
    legal = words["legal"].get(receipt.kind, {})
    return {
        "number": receipt.number,
        "kind": word(receipt.locale, "kind", receipt.kind),
        "received": f"{long_date(receipt.received_at.date(), receipt.locale)}, {clock_time(receipt.received_at)}",
        "due": long_date(receipt.due_on, receipt.locale) if receipt.due_on else None,
        "working_days": receipt.working_days,
        "base": legal.get("base"),
        "rights": legal.get("rights", []),
        "extended": receipt.extended,
        "fields": [
            (words["fields"][name], value_words.shown(value, receipt.locale))
            for name, value in receipt.fields.items()
            if name in words["fields"]
        ],
    }
