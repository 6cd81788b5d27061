"""What stands around every HTTP request: a size limit, security headers, and counters. Plain ASGI, for it runs on every call."""

from __future__ import annotations

import re
import time
from contextlib import suppress

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
FILE_PATH = re.compile(r"(/desk/tickets/[0-9A-Z-]{1,24})/files")
"""Where staff send the files of an answer."""
PRIVATE_PATHS = ("/api/", "/chat", "/desk")
"""What is never kept by a cache."""


class Guarded:
    """Refuses a body that is too large, and puts the security headers on every answer that has none of its own.

    Only the form that sends a file may be larger, by `file_bytes`. A body whose length isn't said is counted as it comes.
    """

    def __init__(self, app: ASGIApp, file_bytes: int) -> None:
        self._app = app
        self._file_bytes = file_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        uploads = scope["method"] == "POST" and FILE_PATH.fullmatch(scope["path"])
        largest = MAX_BODY + (self._file_bytes if uploads else 0)
        too_large, answered = False, False

        async def receive_counted() -> Message:
            nonlocal largest, too_large
            message = await receive()
            largest -= len(message.get("body", b""))
            too_large = too_large or largest < 0
            return {"type": "http.disconnect"} if too_large else message

        async def send_guarded(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(PRIVATE_PATHS):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        async def send_unless_too_large(message: Message) -> None:
            if not too_large or answered:
                await send_guarded(message)

        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) <= largest:
            with suppress(ClientDisconnect):
                await self._app(scope, receive_counted, send_unless_too_large)
            if not too_large or answered:
                return
        await self._refusal(uploads)(scope, receive, send_guarded)

    @staticmethod
    def _refusal(uploads: re.Match[str] | None) -> Response:
        if uploads:  # a person sent a form and should get back to it
            return RedirectResponse(f"{uploads[1]}?problem=file_size#files", 303)
        problem = {"type": "about:blank", "title": "Content Too Large", "status": 413}
        return JSONResponse(problem, 413, media_type="application/problem+json")


class Measured:
    """Counts requests and their time by route, never by address or citizen."""

    def __init__(self, app: ASGIApp, requests: Counter, seconds: Histogram) -> None:
        self._app = app
        self._requests = requests
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self._requests.labels(scope["method"], route, status).inc()
            self._seconds.labels(route).observe(time.perf_counter() - started)
