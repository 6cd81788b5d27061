"""A local stand-in of Telegram's Bot API over real HTTP: hands out updates, records calls, fails as told."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse


class BotApi:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failures: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.webhook = ""
        self._updates: list[dict[str, Any]] = []
        self._last_update = 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        app = FastAPI()
        app.post("/bot{token}/{method}")(self._answer)
        self._server = uvicorn.Server(uvicorn.Config(app, port=self.port, log_level="error", lifespan="off"))
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

    def send(self, chat_id: int, text: str | None = None, **message: Any) -> None:
        """A citizen writes in a private chat; `message` adds or replaces fields of the Bot API's Message."""
        user = {"id": chat_id, "is_bot": False, "first_name": "Warga", "language_code": "id"}
        chat = {"id": chat_id, "type": "private"}
        body = {"message_id": self._last_update + 1, "date": 1_795_000_000, "chat": chat, "from": user, **message}
        self.push({"message": body | ({"text": text} if text is not None else {})})

    def press(self, chat_id: int, data: str) -> None:
        user = {"id": chat_id, "is_bot": False, "first_name": "Warga"}
        message = {"message_id": 1, "date": 1_795_000_000, "chat": {"id": chat_id, "type": "private"}, "text": "x"}
        self.push({"callback_query": {"id": "1", "from": user, "chat_instance": "1", "data": data, "message": message}})

    def push(self, update: dict[str, Any]) -> None:
        """Any update, for the bot that polls."""
        self._last_update += 1
        self._updates.append({"update_id": self._last_update, **update})

    def sent_to(self, chat_id: int) -> list[dict[str, Any]]:
        return [body for method, body in self.calls if method == "sendMessage" and str(body["chat_id"]) == str(chat_id)]

    async def until_sent(self, chat_id: int, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        async with asyncio.timeout(seconds):
            while len(self.sent_to(chat_id)) < count:
                await asyncio.sleep(0.02)
        return self.sent_to(chat_id)

    async def _answer(self, token: str, method: str, request: Request) -> JSONResponse:
        form = dict(await request.form())
        if method == "getUpdates":
            offset = int(str(form.get("offset", 0)))
            await asyncio.sleep(0.05)
            return self._ok([update for update in self._updates if update["update_id"] >= offset])
        if method == "getMe":
            return self._ok({"id": 1, "is_bot": True, "first_name": "Sapa", "username": "sapa_bot"})
        if method == "getWebhookInfo":
            return self._ok({"url": self.webhook, "has_custom_certificate": False, "pending_update_count": 3})
        failures = self.failures.get(method)
        if failures:
            status, body = failures.pop(0)
            return JSONResponse({"ok": False, "error_code": status, "description": "told to fail", **body}, status)
        self.calls.append((method, form))
        if method == "setWebhook":
            self.webhook = str(form["url"])
        if method == "sendMessage":
            chat = {"id": int(str(form["chat_id"])), "type": "private"}
            return self._ok({"message_id": 1, "date": 1_795_000_000, "chat": chat, "text": form["text"]})
        return self._ok(True)

    @staticmethod
    def _ok(result: Any) -> JSONResponse:
        return JSONResponse({"ok": True, "result": result})
