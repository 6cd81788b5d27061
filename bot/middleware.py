"""What stands around every HTTP request: hosts, sizes, numbers, security headers, counters. Plain ASGI, for it runs on every call."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.logs import place_of

log = structlog.get_logger(__name__)
MAX_BODY = 64 * 1024
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PUBLIC_FILES = "/static/"
"""The widget's files, which any site may embed."""
HSTS = "max-age=63072000"
"""Two years, for this host only; said over HTTPS, where alone it counts."""
REQUEST_HEADER = "X-Request-ID"
"""The number of the request: in every log line about it, and what a citizen is told as reference number where something failed."""
METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
BODY_SECONDS = 30.0
"""For a whole body, from its first piece to its last."""
FILE_BYTES_A_SECOND = 64 * 1024
"""The slowest line on which a body that holds a file may come, beside those seconds."""
REQUESTS_AT_ONCE = 1000
STREAMS_AT_ONCE = 2000
STREAMS_OF_SESSION = 6
Problem = Callable[[Request, int, Mapping[str, str]], Awaitable[Response]]
"""Makes the answer that says what went wrong and what to do next (bot/problems.py)."""
STREAM_PATH = re.compile(r"/api/chat/events|/desk/(?:[\w-]{1,40}/){0,3}events")
FILE_PATH = re.compile(r"(/desk/tickets/[0-9A-Z-]{1,24})/files")
"""Where staff send the files of an answer."""
PROBES = ("/healthz", "/readyz")
"""Of the service manager, which ends a process that does not answer them."""
PRIVATE_PATHS = ("/api/", "/chat", "/desk")
"""What is never kept by a cache."""


class OfHttp:
    """Stands around HTTP requests; all else, such as the start of the application, goes by it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.around if scope["type"] == "http" else self._app)(scope, receive, send)

    async def around(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, as a rule by passing it on to `self._app`."""
        raise NotImplementedError


class Guarded(OfHttp):
    """Refuses a body that is too large, and puts the security headers on every answer that has none of its own.

    Only the form that sends a file may be larger, by `file_bytes`. A body whose length isn't said is counted as it comes. One that
    takes too long counts as broken off: its request would hold a place of `Bounded` for ever.
    """

    def __init__(self, app: ASGIApp, problem: Problem, file_bytes: int) -> None:
        super().__init__(app)
        self._problem = problem
        self._file_bytes = file_bytes

    async def around(self, scope: Scope, receive: Receive, send: Send) -> None:
        uploads = scope["method"] == "POST" and FILE_PATH.fullmatch(scope["path"])
        largest = MAX_BODY + (self._file_bytes if uploads else 0)
        seconds = BODY_SECONDS + (self._file_bytes / FILE_BYTES_A_SECOND if uploads else 0)
        deadline = asyncio.get_running_loop().time() + seconds
        too_large, answered, expects_body = False, False, True

        async def receive_counted() -> Message:
            nonlocal largest, too_large, expects_body
            try:
                async with asyncio.timeout_at(deadline if expects_body else None):  # wait_for would lose a cancellation
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            expects_body = message.get("more_body", False)
            largest -= len(message.get("body", b""))
            too_large = too_large or largest < 0
            return {"type": "http.disconnect"} if too_large else message

        async def send_guarded(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                _add_headers(scope, MutableHeaders(scope=message))
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
        if uploads:  # a person sent a form and should get back to it
            refusal: Response = RedirectResponse(f"{uploads[1]}?problem=file_size#files", 303)
        else:
            refusal = await self._problem(Request(scope), 413, {})
        await refusal(scope, receive, send_guarded)


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scope["path"].startswith(PUBLIC_FILES):
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if scope["scheme"] == "https":
        headers.setdefault("Strict-Transport-Security", HSTS)
    if scope["path"].startswith(PRIVATE_PATHS):
        headers.setdefault("Cache-Control", "no-store")


class KnownHosts:
    """Answers only under the names that the operator has given; probes may come by any."""

    def __init__(self, app: ASGIApp, hosts: list[str]) -> None:
        self._app = app
        self._checked = TrustedHostMiddleware(app, hosts, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        probe = scope["type"] == "http" and scope["path"] in PROBES
        await (self._app if probe else self._checked)(scope, receive, send)


class Bounded(OfHttp):
    """Bounds how many requests are worked on at once, and how many streams of events one session and all of them hold open.

    Probes pass: who has too much to do is not to be ended for it.
    """

    def __init__(self, app: ASGIApp, problem: Problem, requests: int = REQUESTS_AT_ONCE, streams: int = STREAMS_AT_ONCE) -> None:
        super().__init__(app)
        self._problem = problem
        self._requests = requests
        self._streams = streams
        self._open = 0
        self._open_streams: Tally[str] = Tally()

    async def around(self, scope: Scope, receive: Receive, send: Send) -> None:
        if STREAM_PATH.fullmatch(scope["path"]):
            await self._stream(scope, receive, send)
        elif scope["path"] in PROBES:
            await self._app(scope, receive, send)
        elif self._open >= self._requests:
            await (await self._problem(Request(scope), 503, {"Retry-After": "5"}))(scope, receive, send)
        else:
            self._open += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._open -= 1

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        named = headers.get("authorization") or headers.get("cookie") or ""
        session = hashlib.sha256(named.encode()).hexdigest()
        if self._open_streams[session] >= STREAMS_OF_SESSION or self._open_streams.total() >= self._streams:
            await (await self._problem(Request(scope), 429, {"Retry-After": "30"}))(scope, receive, send)
            return
        self._open_streams[session] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open_streams[session] -= 1
            if not self._open_streams[session]:
                del self._open_streams[session]


class Contained(OfHttp):
    """What the application raises ends in a line of the log and a problem. The server sees none of it: its traceback would quote."""

    def __init__(self, app: ASGIApp, problem: Problem) -> None:
        super().__init__(app)
        self._problem = problem

    async def around(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except ClientDisconnect:
            raise
        except Exception as error:
            log.error("request failed", route=route_of(scope), error=type(error).__name__, at=place_of(error))
            if not begun:  # else the server cuts the connection, since the answer has no end
                await (await self._problem(Request(scope), 500, {}))(scope, receive, send)


def route_of(scope: Scope) -> str:
    """The route that answers; the address itself may hold a token."""
    return getattr(scope.get("route"), "path", "unknown")


class Measured(OfHttp):
    """Counts requests and their time by route, never by address or citizen, and gives each a number that all its log lines carry."""

    def __init__(self, app: ASGIApp, requests: Counter, seconds: Histogram) -> None:
        super().__init__(app)
        self._requests = requests
        self._seconds = seconds

    async def around(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status, number = 500, secrets.token_hex(4).upper()
        structlog.contextvars.bind_contextvars(request=number)

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault(REQUEST_HEADER, number)
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            route = route_of(scope)
            self._requests.labels(scope["method"] if scope["method"] in METHODS else "other", route, status).inc()
            self._seconds.labels(route).observe(time.perf_counter() - started)
