"""Errors as RFC 9457 problem details, with a sentence that says what to do next. Nothing of the request is repeated."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from structlog.contextvars import get_contextvars

from bot.assistant import Assistant
from bot.conversation import Interrupted
from bot.html_pages import HtmlPage, language_of
from bot.middleware import Problem, route_of
from bot.rate_limits import LINKS
from store.database import AWAY
from store.turn_queue import TurnLost

log = structlog.get_logger(__name__)
CHAT = "/chat"
PAGES = (CHAT, *LINKS)
"""What a person opens in a browser, and gets a page of."""
SENTENCES = {
    400: "utter_problem_invalid",
    401: "utter_problem_session",
    403: "utter_problem_forbidden",
    404: "utter_problem_not_found",
    405: "utter_problem_method",
    410: "utter_problem_gone",
    413: "utter_too_long",
    422: "utter_problem_invalid",
    429: "utter_too_fast",
    500: "utter_problem_server",
    503: "utter_problem_server",
}


def add_problem_handlers(app: FastAPI, assistant: Assistant) -> Problem:
    """Returns what middleware calls for an answer of its own."""
    page = HtmlPage("problem")

    async def problem(request: Request, status: int, extra: dict[str, object] | None = None) -> Response:
        locale, path = language_of(request), request.url.path
        sentence = await assistant.sentence(SENTENCES.get(status, "utter_problem_server"), locale)
        if path.startswith(PAGES):
            of_chat = path.startswith(CHAT)
            return HTMLResponse(page.render(locale, sentence=sentence.text, of_chat=of_chat), status)
        body = {"type": "about:blank", "title": _TITLES.get(status, "Error"), "status": status, "detail": sentence.text}
        reference = {"reference": get_contextvars()["request"]} if status == 500 else {}
        return JSONResponse(body | reference | (extra or {}), status, media_type="application/problem+json")

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        response = await problem(request, error.status_code)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        places = [".".join(str(part) for part in one["loc"]) for one in error.errors()]
        return await problem(request, 422, {"invalid": places})

    async def not_now(request: Request, error: Exception) -> Response:
        log.warning("request could not be dealt with now", route=route_of(request.scope), error=type(error).__name__)
        response = await problem(request, 503)
        response.headers["Retry-After"] = "1"
        return response

    for passing in (*AWAY, Interrupted, TurnLost):
        app.add_exception_handler(passing, not_now)

    async def answer(request: Request, status: int, headers: Mapping[str, str]) -> Response:
        response = await problem(request, status)
        response.headers.update(headers)
        return response

    return answer


_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    413: "Content Too Large",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
