"""Files of an answer, for the citizen, behind a signed link. Words stand in templates/attachments.yml."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import yaml
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape

from services.receipts import LinkFault
from services.ticket_files import PATH, TicketFiles

TEMPLATES = Path(__file__).with_name("templates")
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}
STATUS = {LinkFault.EXPIRED: 410, LinkFault.FORGED: 404}


def attachments(files: TicketFiles) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(["html"]))
    texts = yaml.safe_load((TEMPLATES / "attachments.yml").read_text(encoding="utf-8"))

    @router.get(PATH + "{token}")
    async def show(request: Request, token: str) -> HTMLResponse:
        locale = "en" if request.headers.get("accept-language", "").lower().startswith("en") else "id"
        number = await asyncio.to_thread(files.open, token)
        page = environment.get_template("attachments.html")
        if isinstance(number, LinkFault):
            return HTMLResponse(page.render(t=texts[locale], locale=locale, fault=number.value), STATUS[number], HEADERS)
        found = await asyncio.to_thread(files.of, number)
        values = {"number": number, "files": found, "path": PATH + token}
        return HTMLResponse(page.render(t=texts[locale], locale=locale, fault=None, **values), headers=HEADERS)

    @router.get(PATH + "{token}/{file_id}")
    async def download(token: str, file_id: int) -> Response:
        number = await asyncio.to_thread(files.open, token)
        if isinstance(number, LinkFault):
            raise HTTPException(STATUS[number])
        try:
            file, content = await asyncio.to_thread(files.read, number, file_id)
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        headers = {**HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
        return Response(content, media_type=file.media_type, headers=headers)

    return router
