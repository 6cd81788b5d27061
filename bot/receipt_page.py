"""The printable receipt of a ticket, behind a signed link. Its words stand in templates/receipt.yml."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bot.html_pages import BEHIND_A_LINK, HtmlPage
from services import value_words
from services.dates import clock_time, long_date
from services.receipts import PATH, LinkFault, PrintedReceipt, Receipts
from services.ticket_words import word


def receipt_page(receipts: Receipts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = HtmlPage("receipt")

    @router.get(PATH + "{token}")
    async def show(request: Request, token: str) -> HTMLResponse:
        found = await asyncio.to_thread(receipts.open, token)
        if isinstance(found, LinkFault):
            return page.of_fault(request, found)
        values = shown(found, page.texts[found.locale])
        return HTMLResponse(page.render(found.locale, fault=None, **values), headers=BEHIND_A_LINK)

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
