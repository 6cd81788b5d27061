"""Files of an answer, for the citizen, behind a signed link. Words stand in templates/attachments.yml."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from bot.html_pages import BEHIND_A_LINK, STATUS_OF_FAULT, HtmlPage, language_of
from services.receipts import LinkFault
from services.ticket_files import PATH, TicketFiles


def attachments(files: TicketFiles) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = HtmlPage("attachments")

    @router.get(PATH + "{token}")
    async def show(request: Request, token: str) -> HTMLResponse:
        number = await asyncio.to_thread(files.open, token)
        if isinstance(number, LinkFault):
            return page.of_fault(request, number)
        found = await asyncio.to_thread(files.of, number)
        shown = page.render(language_of(request), fault=None, number=number, files=found, path=PATH + token)
        return HTMLResponse(shown, headers=BEHIND_A_LINK)

    @router.get(PATH + "{token}/{file_id}")
    async def download(token: str, file_id: int) -> Response:
        number = await asyncio.to_thread(files.open, token)
        if isinstance(number, LinkFault):
            raise HTTPException(STATUS_OF_FAULT[number])
        try:
            file, content = await asyncio.to_thread(files.read, number, file_id)
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        headers = {**BEHIND_A_LINK, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
        return Response(content, media_type=file.media_type, headers=headers)

    return router
