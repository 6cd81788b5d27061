"""A citizen on the web channel, for tests: says things and reads the answers."""

from __future__ import annotations

import uuid
from typing import Any

import httpx


class Citizen:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.greeting: list[dict[str, Any]] = []
        self.token = ""
        self.last: list[dict[str, Any]] = []

    async def arrives(self, locale: str = "id") -> Citizen:
        response = await self._client.post("/api/chat/sessions", json={"locale": locale})
        assert response.status_code == 201
        body = response.json()
        self.token, self.greeting = body["token"], body["messages"]
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def says(self, text: str, message_id: str | None = None) -> str:
        """All bubbles of the answer, joined."""
        return await self._sends({"text": text}, message_id)

    async def presses(self, label: str) -> str:
        """Press the button with this label under the last answer."""
        buttons = [button for message in self.last or self.greeting for button in message["buttons"]]
        (button_id,) = [button["id"] for button in buttons if button["label"] == label]
        return await self._sends({"button": button_id}, None)

    async def goes_through(self, *messages: str) -> str:
        """Say one after the other; the last answer."""
        answer = ""
        for message in messages:
            answer = await self.says(message)
        return answer

    async def history(self) -> list[dict[str, Any]]:
        """All messages of the conversation, as a reload shows them."""
        messages: list[dict[str, Any]] = (await self._client.get("/api/chat/messages", headers=self.headers)).json()["messages"]
        return messages

    async def _sends(self, content: dict[str, str], message_id: str | None) -> str:
        body = {"client_message_id": message_id or str(uuid.uuid4()), **content}
        response = await self._client.post("/api/chat/messages", json=body, headers=self.headers)
        assert response.status_code == 200, response.text
        self.last = response.json()["messages"]
        return "\n".join(message["text"] for message in self.last)

    def topics_sources(self) -> list[str]:
        return [source["title"] for message in self.last for source in message["sources"]]
