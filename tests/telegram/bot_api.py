"""A local stand-in of Telegram's Bot API over real HTTP: hands out updates, records calls, fails as told."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

USERNAME = "sapa_bot"
LONG_POLL_SECONDS = 0.2
Gate = Callable[[str, dict[str, Any]], Awaitable[JSONResponse | None]]


@dataclass(frozen=True)
class Call:
    """A call that the stand-in has taken, and when (seconds of the monotonic clock)."""

    method: str
    form: dict[str, Any]
    at: float


class BotApi:
    def __init__(self) -> None:
        self.taken: list[Call] = []
        self.failures: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.gate: Gate | None = None
        """Sees every sendMessage first and may answer in its place, or wait."""
        self.webhook = ""
        self.secret = ""
        self.webhook_state: dict[str, Any] = {}
        """What getWebhookInfo says beside the address."""
        self._updates: dict[int, dict[str, Any]] = {}
        self._last_update = 0
        self._last_message = 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        app = FastAPI()
        app.post("/bot{token}/{method}")(self._answer)
        self._server = uvicorn.Server(uvicorn.Config(app, port=self.port, log_level="error", lifespan="off", timeout_keep_alive=3600))
        self._task: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bot"

    async def __aenter__(self) -> BotApi:
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.02)
        return self

    async def __aexit__(self, *args: object) -> None:
        self._server.should_exit = True
        assert self._task is not None
        await self._task

    async def is_left(self) -> None:
        """Until the bot has closed all its connections."""
        async with asyncio.timeout(3):
            while self._server.server_state.connections:
                await asyncio.sleep(0.02)

    # What citizens do

    def send(self, chat_id: int, text: str | None = None, **message: Any) -> int:
        """A citizen writes in a private chat; `message` adds or replaces fields of the Bot API's Message. Gives its number."""
        body = self.message(chat_id, **message) | ({"text": text} if text is not None else {})
        self.push({"message": body})
        return int(body["message_id"])

    def message(self, chat_id: int, **message: Any) -> dict[str, Any]:
        user = {"id": chat_id, "is_bot": False, "first_name": "Warga", "language_code": "id"}
        self._last_message += 1
        chat = {"id": chat_id, "type": "private"}
        return {"message_id": self._last_message, "date": 1_795_000_000, "chat": chat, "from": user, **message}

    def press(self, chat_id: int, data: str, message_id: int | None = None) -> None:
        """Press a button; `message_id` names the message that has it, else it is one that nobody has pressed."""
        user = {"id": chat_id, "is_bot": False, "first_name": "Warga"}
        message = self.message(chat_id, text="x")
        message["message_id"] = message_id or message["message_id"]
        self.push({"callback_query": {"id": "1", "from": user, "chat_instance": "1", "data": data, "message": message}})

    def push(self, update: dict[str, Any]) -> None:
        """Any update, for the bot that polls."""
        self._last_update += 1
        self._updates[self._last_update] = {"update_id": self._last_update, **update}

    @property
    def unconfirmed(self) -> list[dict[str, Any]]:
        """Updates that the polling bot has not acknowledged."""
        return list(self._updates.values())

    # What the bot did

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        return [(call.method, call.form) for call in self.taken]

    def called(self, method: str) -> list[dict[str, Any]]:
        return [form for name, form in self.calls if name == method]

    def sent_to(self, chat_id: int) -> list[dict[str, Any]]:
        return [form for form in self.called("sendMessage") if str(form["chat_id"]) == str(chat_id)]

    async def until_sent(self, chat_id: int, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        async with asyncio.timeout(seconds):
            while len(self.sent_to(chat_id)) < count:
                await asyncio.sleep(0.02)
        return self.sent_to(chat_id)

    async def until_called(self, method: str, count: int = 1, seconds: float = 20) -> list[dict[str, Any]]:
        async with asyncio.timeout(seconds):
            while len(self.called(method)) < count:
                await asyncio.sleep(0.02)
        return self.called(method)

    # The API

    async def _answer(self, token: str, method: str, request: Request) -> JSONResponse:
        form: dict[str, Any] = dict(await request.form())
        if method == "getUpdates":
            return self._ok(await self._updates_from(int(str(form.get("offset", 0)))))
        failures = self.failures.get(method)
        if failures:
            status, body = failures.pop(0)
            return JSONResponse({"ok": False, "error_code": status, "description": "told to fail", **body}, status)
        if method == "getMe":
            return self._ok({"id": 1, "is_bot": True, "first_name": "Sapa", "username": USERNAME})
        if method == "getWebhookInfo":
            return self._ok({"url": self.webhook, "has_custom_certificate": False, "pending_update_count": 3, **self.webhook_state})
        if method == "sendMessage" and self.gate and (refusal := await self.gate(method, form)):
            return refusal
        self.taken.append(Call(method, form, time.monotonic()))
        if method == "setWebhook":
            self.webhook, self.secret = str(form["url"]), str(form["secret_token"])
        if method == "sendMessage":
            self._last_message += 1
            chat = {"id": int(str(form["chat_id"])), "type": "private"}
            form["message_id"] = self._last_message
            return self._ok({"message_id": self._last_message, "date": 1_795_000_000, "chat": chat, "text": form["text"]})
        return self._ok(True)

    async def _updates_from(self, offset: int) -> list[dict[str, Any]]:
        """Those from the offset on, at most a hundred; what comes before it is acknowledged and forgotten."""
        self._updates = {number: update for number, update in self._updates.items() if number >= offset}
        deadline = time.monotonic() + LONG_POLL_SECONDS
        while not self._updates and time.monotonic() < deadline and not self._server.should_exit:
            await asyncio.sleep(0.02)
        return list(self._updates.values())[:100]

    @staticmethod
    def _ok(result: Any) -> JSONResponse:
        return JSONResponse({"ok": True, "result": result})
