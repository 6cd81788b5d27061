"""A member of staff at the desk, for tests: opens pages, sends their forms."""

from __future__ import annotations

import re
from typing import Any

import httpx


class Officer:
    def __init__(self, client: httpx.AsyncClient, login: str) -> None:
        self.client = client
        self.login = login
        self.form_token = ""

    async def signs_in(self, password: str) -> None:
        response = await self.client.post("/desk/sign-in", data={"login": self.login, "password": password})
        assert response.status_code == 303, response.text
        self.form_token = re.findall(r'name="form_token" value="(\w+)"', await self.reads("/desk/account"))[0]

    async def opens(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def reads(self, path: str) -> str:
        """The page, which must be there."""
        response = await self.opens(path)
        assert response.status_code == 200, (path, response.status_code)
        return response.text

    async def sends(self, path: str, **fields: Any) -> httpx.Response:
        """A form of the desk, with the token that every form has."""
        return await self.client.post(path, data={"form_token": self.form_token, **fields})
