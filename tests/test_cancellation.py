"""Who is told to stop does stop, also in the very moment in which what it waited for comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bot.action_endpoint import ActionFailed, InProcessActions
from bot.middleware import Guarded


class Slow:
    """An executor whose only action ends when it is told to."""

    def __init__(self) -> None:
        self.ends = asyncio.Event()

    async def run(self, call: dict[str, Any]) -> dict[str, Any]:
        await self.ends.wait()
        return {"events": [], "responses": []}


async def test_a_turn_that_is_cancelled_as_its_action_ends_does_end() -> None:
    slow = Slow()
    turn = asyncio.ensure_future(InProcessActions(slow, seconds=60).request(json={"next_action": "action_answer"}))
    await asyncio.sleep(0)
    slow.ends.set()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn


async def test_an_action_that_is_late_fails() -> None:
    with pytest.raises(ActionFailed):
        await InProcessActions(Slow(), seconds=0.01).request(json={"next_action": "action_answer"})


async def test_a_request_that_is_cancelled_as_its_body_comes_does_end() -> None:
    came = asyncio.Event()

    async def receive() -> Message:
        await came.wait()
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def reads_and_goes_on(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        await asyncio.sleep(60)

    async def problem(_request: Request, status: int, _headers: Any) -> Response:
        return Response(status_code=status)

    scope: Scope = {"type": "http", "method": "POST", "path": "/api/chat/messages", "scheme": "http", "headers": []}

    async def send(_message: Message) -> None:
        pass

    request = asyncio.ensure_future(Guarded(reads_and_goes_on, problem, file_bytes=0)(scope, receive, send))
    await asyncio.sleep(0)
    came.set()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await request
