"""Tells an open page that what it shows has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent

LOOK_SECONDS = 1.0


def changes(request: Request, state: Callable[[], Any]) -> EventSourceResponse:
    """An event `changed` whenever `state` gives something else than before."""

    async def stream() -> AsyncIterator[ServerSentEvent]:
        known = await asyncio.to_thread(state)
        while not await request.is_disconnected():
            await asyncio.sleep(LOOK_SECONDS)
            found = await asyncio.to_thread(state)
            if found != known:
                known = found
                yield ServerSentEvent("", event="changed")

    return EventSourceResponse(stream(), ping=20)
