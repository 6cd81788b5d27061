"""Limits: how often, how much, how slowly, how many at once. What is refused is refused with a sentence and a time to come back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import middleware
from bot.assistant import Assistant
from bot.markup import spans, to_plain
from bot.messages import clean
from bot.middleware import Bounded, Guarded
from bot.patient_http import HEADER_BYTES, PatientHttp
from bot.rate_limits import RateLimits, Rates
from bot.server import create_app
from services.assembly import Services
from tests.citizen import Citizen
from tests.cost import costs_in_proportion


def caller(services: Services, assistant: Assistant, address: str, rates: Rates | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(services, assistant, rates), client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30)


def message(text: str = "halo") -> dict[str, str]:
    return {"client_message_id": str(uuid.uuid4()), "text": text}


# How often. By the day: where a minute ends in the middle of a test, the sliding window lets one message more pass.


async def test_a_session_that_writes_too_often_is_told_when_to_come_back(services: Services, assistant: Assistant) -> None:
    async with caller(services, assistant, "203.0.113.5", Rates(messages_of_session="2/day")) as client:
        citizen = await Citizen(client).arrives()
        await citizen.goes_through("halo", "apa itu simpel?")
        refused = await client.post("/api/chat/messages", json=message(), headers=citizen.headers)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 24 * 3600
        assert "lebih cepat" in refused.json()["detail"]
        another = await Citizen(client).arrives()
        assert await another.says("halo"), "who shares the address is not held up"


async def test_an_address_that_opens_sessions_too_often_is_refused(services: Services, assistant: Assistant) -> None:
    async with caller(services, assistant, "203.0.113.5", Rates(sessions_of_address="2/day")) as client:
        statuses = [(await client.post("/api/chat/sessions")).status_code for _ in range(3)]
        assert statuses == [201, 201, 429]
        page = await client.get("/chat")
        assert page.status_code == 429
        assert page.headers["content-type"].startswith("text/html")
        assert "lebih cepat" in page.text


async def test_all_together_are_limited(services: Services, assistant: Assistant) -> None:
    async with caller(services, assistant, "203.0.113.5", Rates(messages_of_all="1/day")) as client:
        citizens = [await Citizen(client).arrives() for _ in range(2)]
        statuses = [(await client.post("/api/chat/messages", json=message(), headers=c.headers)).status_code for c in citizens]
        assert statuses == [200, 429]


@pytest.mark.parametrize("header", ["Authorization", "Cookie"])
async def test_a_page_that_begins_a_conversation_counts_as_a_beginning_whatever_is_sent_with_it(
    header: str, services: Services, assistant: Assistant
) -> None:
    async with caller(services, assistant, "203.0.113.5", Rates(sessions_of_address="2/day")) as client:
        statuses = []
        for number in range(3):
            client.cookies.clear()
            junk = f"Bearer {number}" if header == "Authorization" else f"sapa_chat={number}"
            statuses.append((await client.get("/chat", headers={header: junk})).status_code)
    assert statuses == [200, 200, 429]


async def test_a_token_that_we_did_not_sign_counts_as_a_beginning(services: Services, assistant: Assistant) -> None:
    rates = Rates(sessions_of_address="2/day", messages_of_all="1/day")
    async with caller(services, assistant, "203.0.113.5", rates) as client:
        citizen = await Citizen(client).arrives()
        sent = [
            await client.post("/api/chat/messages", json=message(), headers={"Authorization": f"Bearer {number}"})
            for number in range(2)
        ]
        assert [answer.status_code for answer in sent] == [401, 429]
        assert await citizen.says("halo"), "what is not heard leaves room for those who are"


async def test_a_session_on_the_plain_page_is_its_conversation_whatever_is_sent_beside_its_cookie(
    services: Services, assistant: Assistant
) -> None:
    async with caller(services, assistant, "203.0.113.5", Rates(messages_of_session="2/day")) as client:
        await client.get("/chat")
        statuses = [
            (
                await client.post(
                    "/chat", data={"once": str(uuid.uuid4()), "text": "halo"}, headers={"Authorization": f"Bearer {number}"}
                )
            ).status_code
            for number in range(3)
        ]
    assert statuses == [303, 303, 429]


async def test_all_addresses_of_an_ipv6_line_are_limited_as_one(services: Services, assistant: Assistant) -> None:
    app = create_app(services, assistant, Rates(sessions_of_address="2/day"))
    statuses = []
    for address in ("2001:db8:1:2::5", "2001:db8:1:2::6", "2001:db8:1:2:ffff::7", "2001:db8:1:3::5"):
        transport = httpx.ASGITransport(app, client=(address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30) as client:
            statuses.append((await client.post("/api/chat/sessions")).status_code)
    assert statuses == [201, 201, 429, 201]


async def test_this_machine_itself_is_limited_only_on_request(services: Services, assistant: Assistant) -> None:
    tight = Rates(sessions_of_address="1/day")
    async with caller(services, assistant, "127.0.0.1", tight) as client:
        assert [(await client.post("/api/chat/sessions")).status_code for _ in range(3)] == [201] * 3
    services.settings.limits = "all"
    async with caller(services, assistant, "::1", tight) as client:
        assert [(await client.post("/api/chat/sessions")).status_code for _ in range(2)] == [201, 429]


@pytest.mark.parametrize("path", ["/tanda-terima/x", "/berkas/x", "/berkas/x/1", "/data-saya/x"])
async def test_links_to_files_and_receipts_are_limited_by_address(path: str, services: Services, assistant: Assistant) -> None:
    async with caller(services, assistant, "203.0.113.5", Rates(links_of_address="2/day")) as client:
        answers = [await client.get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers][:2] == [answers[0].status_code] * 2
    assert answers[0].status_code in (404, 410)
    assert answers[2].status_code == 429
    assert 1 <= int(answers[2].headers["retry-after"]) <= 24 * 3600
    for answer in answers:
        assert answer.headers["content-type"].startswith("text/html"), "a person has clicked the link"


async def test_while_the_shared_counter_is_gone_people_are_served_and_a_flood_is_held_up(capsys: pytest.CaptureFixture[str]) -> None:
    limits = RateLimits("redis://127.0.0.1:1/0", "all", lambda *parts: "x" * 64, Rates(messages_of_all="3/day"))
    waits = [await limits.seconds_to_wait(("messages_of_all", "")) for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert all(1 <= wait <= 24 * 3600 for wait in waits[3:])
    assert capsys.readouterr().out.count("counted by this process alone") == 1, "said, and not with every request"


# How many at once


async def problem(_request: Request, status: int, headers: Any) -> Response:
    return JSONResponse({"status": status}, status, dict(headers))


@asynccontextmanager
async def held_open(app: ASGIApp, paths: list[str], headers: list[tuple[bytes, bytes]]) -> AsyncIterator[list[int]]:
    """Requests to `paths` that are all under way; yields the statuses of those that were answered at once."""
    statuses: list[int] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(sent: Message) -> None:
        if sent["type"] == "http.response.start":
            statuses.append(sent["status"])

    scopes: list[Scope] = [{"type": "http", "method": "GET", "path": p, "headers": headers, "query_string": b""} for p in paths]
    tasks = [asyncio.ensure_future(app(scope, receive, send)) for scope in scopes]
    await asyncio.sleep(0.05)
    yield statuses
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def test_more_requests_at_once_than_can_be_worked_on_are_sent_away() -> None:
    async with held_open(Bounded(endless, problem, requests=3), ["/"] * 5, []) as statuses:
        assert statuses == [503, 503]


async def test_a_server_that_has_too_much_to_do_still_answers_its_probes() -> None:
    asked: list[str] = []

    async def notes(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await endless(scope, receive, send)

    async with held_open(Bounded(notes, problem, requests=1), ["/", "/healthz", "/readyz", "/"], []) as statuses:
        assert statuses == [503]
        assert asked == ["/", "/healthz", "/readyz"]


async def test_a_session_holds_a_few_streams_and_all_of_them_so_many() -> None:
    bounded = Bounded(endless, problem, streams=10)
    own = [(b"authorization", b"Bearer a")]
    async with held_open(bounded, ["/api/chat/events"] * (middleware.STREAMS_OF_SESSION + 2), own) as statuses:
        assert statuses == [429, 429]
        async with held_open(bounded, ["/desk/queue/events"] * 5, [(b"cookie", b"b")]) as more:
            assert more == [429], "ten are open"
    async with held_open(bounded, ["/api/chat/events"], own) as statuses:
        assert statuses == [], "the places of closed streams are free again"


async def test_the_refusal_of_a_flood_is_a_problem_with_a_sentence(
    services: Services, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "STREAMS_OF_SESSION", 0)
    async with caller(services, assistant, "203.0.113.5") as client:
        refused = await client.get("/api/chat/events", headers={"Authorization": "Bearer x", "Accept-Language": "en"})
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "30"
    assert "wait" in refused.json()["detail"]
    assert "default-src 'none'" in refused.headers["content-security-policy"]


# Slow and large


@asynccontextmanager
async def listening(app: ASGIApp, seconds: float = 0.3) -> AsyncIterator[int]:
    class Impatient(PatientHttp):
        header_seconds = seconds

    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", http=Impatient, ws="none", server_header=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    body = b""
    while (received := await receive())["type"] == "http.request":
        body += received["body"]
        if not received["more_body"]:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})
            return


async def exchange(port: int, *sent: bytes, pause: float = 0) -> bytes:
    """What the server says until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in sent:
        writer.write(piece)
        await asyncio.sleep(pause)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_connection_that_says_nothing_or_never_finishes_its_headers_is_closed() -> None:
    async with listening(hello) as port:
        assert await exchange(port) == b""
        assert await exchange(port, b"GET / HTTP/1.1\r\nHost: a\r\n", b"X-A: 1\r\n", b"X-B: 2\r\n", pause=0.05) == b""


async def test_headers_of_a_common_size_pass_and_larger_ones_are_refused() -> None:
    async with listening(hello, seconds=10) as port:
        common = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: " + b"c" * 8000 + b"\r\n\r\n"
        assert (await exchange(port, common)).startswith(b"HTTP/1.1 200")
        one = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"c" * HEADER_BYTES + b"\r\n\r\n"
        assert (await exchange(port, one)).startswith(b"HTTP/1.1 431")
        many = b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 1000) for n in range(40)) + b"\r\n"
        assert (await exchange(port, many)).startswith(b"HTTP/1.1 431")
        long = b"GET /" + b"a" * HEADER_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n"
        assert (await exchange(port, long)).startswith(b"HTTP/1.1 431")


async def test_several_requests_on_one_connection_are_served() -> None:
    async with listening(hello, seconds=10) as port:
        one = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
        last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        assert (await exchange(port, one + one, last, pause=0.05)).count(b"HTTP/1.1 200") == 3


async def test_a_body_that_stops_coming_ends_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.1)
    ended: list[str] = []

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        while (received := await receive())["type"] == "http.request" and received.get("more_body"):
            pass
        ended.append(received["type"])

    async def stalls() -> Message:
        if ended or stalls_after:
            await asyncio.Event().wait()
        stalls_after.append(1)
        return {"type": "http.request", "body": b"{", "more_body": True}

    stalls_after: list[int] = []

    async def send(_sent: Message) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": "/api/chat/messages", "scheme": "http", "headers": [(b"content-length", b"9")]}
    async with asyncio.timeout(10):
        await Guarded(reads, problem, file_bytes=0)(scope, stalls, send)
    assert ended == ["http.disconnect"]


async def end_of_a_trickling_body(path: str, pieces: int, file_bytes: int) -> str:
    """The kind of the last message that the application gets of a body that comes byte by byte."""
    left, last = pieces, ""

    async def trickles() -> Message:
        nonlocal left
        left -= 1
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"{", "more_body": left > 0}

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal last
        while (received := await receive())["type"] == "http.request" and received["more_body"]:
            pass
        last = received["type"]

    async def send(_sent: Message) -> None:
        pass

    scope = {"type": "http", "method": "POST", "path": path, "scheme": "http", "headers": []}
    async with asyncio.timeout(10):
        await Guarded(reads, problem, file_bytes)(scope, trickles, send)
    return last


async def test_a_body_that_comes_byte_by_byte_ends_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.1)
    assert await end_of_a_trickling_body("/api/chat/messages", 60_000, file_bytes=0) == "http.disconnect"


async def test_a_file_may_take_as_long_as_a_slow_line_needs_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.0)
    file_bytes = middleware.FILE_BYTES_A_SECOND * 60
    assert await end_of_a_trickling_body("/desk/tickets/INF-1/files", 3, file_bytes) == "http.request"
    assert await end_of_a_trickling_body("/desk/tickets/INF-1/answer", 3, file_bytes) == "http.disconnect"


async def test_a_body_over_the_limit_gets_a_sentence(client: httpx.AsyncClient) -> None:
    refused = await client.post("/api/chat/messages", json=message("a" * 1_000_000))
    assert refused.status_code == 413
    assert refused.json()["detail"]


# Hosts


async def test_only_the_named_hosts_are_answered_and_probes_by_any(services: Services, assistant: Assistant) -> None:
    services.settings.allowed_hosts = "sapa.example.go.id"
    async with caller(services, assistant, "203.0.113.5") as client:
        for host, status in (("sapa.example.go.id", 200), ("evil.example", 400), ("sapa.example.go.id.evil.example", 400)):
            answer = await client.get("/", headers={"Host": host})
            assert answer.status_code == status, host
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/healthz", headers={"Host": "10.0.0.7"})).status_code == 200


def test_in_production_the_public_address_is_the_host(services: Services) -> None:
    settings = services.settings.model_copy(update={"environment": "production", "public_url": "https://sapa.setneg.go.id"})
    assert settings.hosts == ["sapa.setneg.go.id", "localhost", "127.0.0.1"]
    assert services.settings.hosts == []


# Expensive text

BOMBS = {
    "stars": "**",
    "one star after the other": "* ",
    "brackets": "[",
    "links without end": "[a](https://",
    "nested links": "[[a]",
    "lists": "- a\n",
    "bold in links": "[**a**](https://a.b) ",
    "parentheses": "](",
    "combining marks": "e\u0301\u0316\u0317",
    "right to left": "\u202e\u202b",
    "joined emoji": "👩\u200d",
    "tags": "\U000e0041",
    "slashes": "/a",
    "commands": "/a{",
    "line breaks": "\r\n",
}
READERS: dict[str, Callable[[str], object]] = {
    "spans": lambda text: list(spans(text)),
    "plain": to_plain,
    "visible": lambda text: clean(text[:4000]) and clean(text),
}


@pytest.mark.parametrize("piece", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("reads", READERS.values(), ids=READERS)
def test_text_made_to_be_expensive_costs_in_proportion_to_its_length(piece: str, reads: Callable[[str], object]) -> None:
    assert costs_in_proportion(reads, piece)


@pytest.mark.parametrize(
    "piece", ["e\u0316\u0317\u0318" * 900, "\u202eada apa" * 300, "👩\u200d👩\u200d👧 " * 300, "[a](" * 900, "** " * 1300]
)
async def test_odd_text_of_full_length_gets_an_answer(client: httpx.AsyncClient, piece: str) -> None:
    citizen = await Citizen(client).arrives()
    assert await citizen.says(piece[:4000])
