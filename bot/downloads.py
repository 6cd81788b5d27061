"""The copy of a citizen's own data behind a signed address that opens for an hour."""

from __future__ import annotations

import asyncio
import json

from fastapi import APIRouter, HTTPException, Response

from services.own_data import PATH, OwnData


def own_data_download(own_data: OwnData) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get(PATH + "{token}")
    async def download(token: str) -> Response:
        conversation_id = await asyncio.to_thread(own_data.conversation_of, token)
        if conversation_id is None:
            raise HTTPException(410)
        content = await asyncio.to_thread(own_data.export, conversation_id)
        headers = {"Content-Disposition": 'attachment; filename="data-saya.json"', "Cache-Control": "no-store"}
        return Response(json.dumps(content, ensure_ascii=False, indent=1), media_type="application/json", headers=headers)

    return router
