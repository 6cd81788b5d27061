"""Where Telegram posts updates to. Nobody else gets past the secret, and nothing of token, body or text is logged."""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request, Response

from bot.channels.telegram.channel import TelegramChannel

MAX_BODY = 64 * 1024
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 the name of a header


def telegram_webhook(channel: TelegramChannel, url: str, secret: str) -> APIRouter:
    """`url` is the public address that Telegram is told; its path is served here."""
    router = APIRouter(include_in_schema=False)

    @router.post(urlsplit(url).path)
    async def receive(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            raise HTTPException(403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415)
        update = await _update(request)
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            raise HTTPException(400)
        if not channel.has_room:  # to wait here would hold a place of the server for each time that Telegram posts it again
            raise HTTPException(503)
        await channel.accept(update)
        return Response(status_code=200)

    return router


async def _update(request: Request) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400) from error
