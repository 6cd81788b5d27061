"""`/openapi.json` is true, and nothing that it allows or forbids makes the server fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.citizen import Citizen

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
OPERATIONS = [
    ("POST", "/api/chat/sessions"),
    ("DELETE", "/api/chat/sessions"),
    ("POST", "/api/chat/messages"),
    ("GET", "/api/chat/messages"),
]
"""All but the stream of events, which has no end."""


@pytest.fixture
async def document(client: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    yield (await client.get("/openapi.json")).json()


async def test_the_document_names_the_web_channel_and_nothing_of_the_desk(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {*OPERATIONS, ("GET", "/api/chat/events")}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "detail" in operation["responses"]["429"]["content"]["application/problem+json"]["schema"]["properties"]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("signed_in", [True, False], ids=["with a session", "without"])
async def test_generated_requests_never_make_the_server_fail_and_answers_are_as_described(
    client: httpx.AsyncClient, document: dict[str, Any], method: str, path: str, signed_in: bool
) -> None:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
    operation = schema[path][method]
    citizen = await Citizen(client).arrives()
    loop = asyncio.get_running_loop()

    async def send(case: schemathesis.Case) -> httpx.Response:
        if signed_in and method != "DELETE":
            case.headers["Authorization"] = f"Bearer {citizen.token}"
        sent = case.as_transport_kwargs(base_url="http://sapa.test")
        sent = {
            k: v for k, v in sent.items() if k in ("method", "url", "headers", "params", "json", "data", "content", "cookies") and v
        }
        if isinstance(sent.get("data"), bytes):
            sent["content"] = sent.pop("data")
        try:
            return await client.request(**sent)
        except (httpx.InvalidURL, UnicodeEncodeError, TypeError, httpx.LocalProtocolError):
            return httpx.Response(400, json={})  # never left this machine

    @given(case=operation.as_strategy())
    @settings(max_examples=40, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def attack(case: schemathesis.Case) -> None:
        answer = asyncio.run_coroutine_threadsafe(send(case), loop).result(60)
        assert answer.status_code < 500, (case, answer.text)
        if answer.content and answer.headers.get("content-type", "").startswith("application/"):
            described = {*document["paths"][path][method.lower()]["responses"]}
            assert str(answer.status_code) in described | {"400", "404", "405"}, answer.text

    await asyncio.to_thread(attack)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


async def test_any_json_and_any_bytes_as_a_message_get_an_answer_below_500(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    loop = asyncio.get_running_loop()

    @given(VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
    @settings(max_examples=100, deadline=None, database=None)
    def attack(body: bytes) -> None:
        headers = {**citizen.headers, "Content-Type": "application/json"}
        answer = asyncio.run_coroutine_threadsafe(client.post("/api/chat/messages", content=body, headers=headers), loop).result(60)
        assert answer.status_code in (400, 422)
        assert "pihak kami" not in answer.json()["detail"], "the fault is not ours"

    await asyncio.to_thread(attack)


@pytest.mark.parametrize("after", ["-1", "2147483648", "1e9", "9" * 40, "", "null", "0x10", "١"])
async def test_a_number_of_a_message_that_cannot_be_is_refused(client: httpx.AsyncClient, after: str) -> None:
    citizen = await Citizen(client).arrives()
    answer = await client.get("/api/chat/messages", params={"after": after}, headers=citizen.headers)
    assert answer.status_code in (200, 422)
