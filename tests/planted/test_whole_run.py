"""Secrets and personal values go through a real server on every path; then every byte that it has written is searched for them.

What lies encrypted by design (docs/adr/0003) is found in no spelling either. A text that the design lets stand in the masked log
is looked for, too: it must be found, or the search could not fail.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from services.settings import PROJECT
from store.encryption import Encryption, KeyFile
from tests.chaos.server import RealServer
from tests.citizen import Citizen
from tests.desk.officer import Officer
from tests.planted import server as crashing
from tests.planted.listening import listening_sockets
from tests.planted.values import (
    ADDRESS,
    ANSWER,
    BOT_TOKEN,
    CHAT,
    CITIZENS_NOTE,
    CONVERSATION_NOTE,
    EMAIL,
    EVERYTHING,
    FILE_NAME,
    FILE_TEXT,
    FIRST_NAME,
    LOGIN_TYPED,
    NAME,
    NIK,
    NOTE,
    PASSWORD,
    PHONE,
    SIMPEL_CODE,
    USERNAME,
    WRONG_CODE,
    WRONG_PASSWORD,
    Planted,
    files_below,
)
from tests.postgresql import database_of
from tests.telegram.bot_api import BotApi

DETAILS = "Salinan laporan pemeliharaan mercusuar tua selama tahun 2025"
STANDS_IN_THE_LOG = "pemeliharaan mercusuar tua"
REASON = f"Verifikasi identitas pemohon {NIK} lewat telepon {PHONE}"
REQUEST = ("saya ingin mengajukan permohonan informasi publik", "warga negara indonesia", DETAILS, "Bahan penyusunan modul ajar")


async def a_citizen_files_a_request(client: httpx.AsyncClient, planted: Planted) -> tuple[Citizen, str]:
    """The citizen, and the number of the ticket."""
    citizen = await Citizen(client).arrives()
    planted.values["token of a session"] = citizen.token
    await citizen.says(EVERYTHING)
    filed = await citizen.goes_through(*REQUEST, NAME, ADDRESS, EMAIL, "salinan", "email", "ya, sudah benar")
    number = re.findall(r"PIP-\d{8}-\w{4}", filed)[0]
    planted.values["access code"] = code = re.findall(r"Kode akses: \*\*(\w{6})", filed)[0]
    stranger = await Citizen(client).arrives()
    assert number in await stranger.says(f"cek tiket {number} kode {code}")
    assert "cocok" in await stranger.says(f"cek tiket {number} kode {WRONG_CODE}")
    shown = await citizen.says("cek status tiket saya")
    link = re.findall(r"https?://[^/]+(/tanda-terima/\S+?)\)", shown)[0]
    planted.values["link to a receipt"] = link.rpartition("/")[2]
    assert number in (await client.get(link)).text
    await citizen.presses("Tambah catatan")
    await citizen.says(CITIZENS_NOTE)
    return citizen, number


async def a_citizen_asks_for_the_rest(client: httpx.AsyncClient, planted: Planted) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says(f"cek status simpel DEMO-SMP-000101 kode {SIMPEL_CODE}")
    await citizen.says(f"cek status simpel DEMO-SMP-000101 kode {WRONG_CODE}")
    link = re.findall(r"https?://[^/]+(/data-saya/\S+?)\)", await citizen.says("unduh data saya"))[0]
    planted.values["link to one's data"] = link.rpartition("/")[2]
    assert (await client.get(link)).status_code == 200
    await citizen.goes_through(*REQUEST, NAME, ADDRESS)  # and leaves it there
    gone = await Citizen(client).arrives()
    await gone.goes_through("saya mau menyampaikan aspirasi", EVERYTHING, "hapus data saya", "ya, hapus")


async def a_citizen_without_javascript(client: httpx.AsyncClient) -> None:
    await client.get("/chat")
    for text in (EVERYTHING, f"cek status simpel DEMO-SMP-000102 kode {WRONG_CODE}"):
        sent = await client.post("/chat", data={"once": str(uuid.uuid4()), "text": text})
        assert sent.status_code == 303
    client.cookies.clear()


async def requests_that_go_wrong(client: httpx.AsyncClient, planted: Planted) -> None:
    citizen = await Citizen(client).arrives()
    message = {"client_message_id": str(uuid.uuid4()), "text": EVERYTHING}
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/chat/messages", {"json": {"client_message_id": NIK, "text": EVERYTHING}}),
        ("POST", "/api/chat/messages", {"json": message | {"button": NIK}}),
        ("POST", "/api/chat/messages", {"json": {"client_message_id": str(uuid.uuid4()), "button": NIK}}),
        ("POST", "/api/chat/messages", {"content": f'{{"text": "{EVERYTHING}'}),
        ("POST", "/api/chat/messages", {"json": message | {"text": EVERYTHING * 100}}),
        ("POST", "/api/chat/messages", {"json": message, "headers": {"Authorization": f"Bearer {NIK}"}}),
        ("GET", f"/api/chat/messages?after={NIK}x", {}),
        ("GET", f"/api/{NIK}?surel={EMAIL}", {"headers": {"User-Agent": PHONE, "Referer": f"https://a/{NIK}", "X-Request-ID": NIK}}),
        ("GET", f"/tanda-terima/{NIK}", {}),
        ("GET", f"/data-saya/{EMAIL}", {}),
        ("GET", f"/berkas/{NIK}/1", {}),
        ("GET", f"/static/{NAME}", {}),
        ("GET", "/", {"headers": {"Host": EMAIL}}),
        ("TRACE", f"/{NIK}", {}),
        ("POST", "/chat", {"data": {"once": NIK, "text": EVERYTHING}}),
    ]
    for method, path, more in wrong:
        headers = {**citizen.headers, **more.pop("headers", {})}
        answer = await client.request(method, path, headers=headers, **more)
        assert answer.status_code < 500, (method, path)
        assert planted.found_in(answer.content) == [], (method, path)
    for word, status in ((crashing.IN_UNDERSTANDING, 500), (crashing.IN_AN_ACTION, 200)):
        body = {"client_message_id": str(uuid.uuid4()), "text": f"apa itu setneg mantul? {word} {NIK}"}
        answer = await client.post("/api/chat/messages", json=body, headers=citizen.headers)
        assert answer.status_code == status, answer.text
        assert planted.found_in(answer.content) == [], word


async def the_desk(client: httpx.AsyncClient, password: str, planted: Planted) -> Officer:
    """An administrator, signed in with a second factor."""
    for login, typed in ((LOGIN_TYPED, "x"), ("admin", WRONG_PASSWORD)):
        assert (await client.post("/desk/sign-in", data={"login": login, "password": typed})).status_code == 401
    officer = Officer(client, "admin")
    await officer.signs_in(password)
    assert (await officer.sends("/desk/account/password", old=password, new=PASSWORD)).status_code == 303
    page = (await officer.sends("/desk/account/totp/begin")).text
    secret = planted.values["TOTP secret"] = re.findall(r'name="secret" value="(\w+)"', page)[0]
    begun = (await officer.sends("/desk/account/totp/start", secret=secret, code=pyotp.TOTP(secret).now())).text
    codes = re.findall(r"\b[0-9a-f]{10}\b", begun)
    planted.values |= {f"recovery code {number}": code for number, code in enumerate(codes)}
    (planted.values["session of the desk"],) = client.cookies.values()
    planted.values["token of a form"] = officer.form_token
    await officer.sends("/desk/sign-out")
    signed_in = await client.post("/desk/sign-in", data={"login": "admin", "password": PASSWORD, "code": codes[0]})
    assert signed_in.status_code == 303
    officer.form_token = re.findall(r'name="form_token" value="(\w+)"', await officer.reads("/desk/account"))[0]
    (planted.values["second session of the desk"],) = client.cookies.values()
    return officer


async def an_officer_takes_over(client: httpx.AsyncClient, officer: Officer) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("apa itu simpel?", "mau bicara dengan petugas", "ya")
    handoff = re.findall(r"/desk/queue/(\d+)", await officer.reads("/desk/queue"))[0]
    room = f"/desk/queue/{handoff}"
    assert (await officer.sends(f"{room}/take")).status_code == 303
    await citizen.says(EVERYTHING)
    assert (await officer.sends(f"{room}/note", note=f"{CONVERSATION_NOTE}, hp {PHONE}")).status_code == 303
    assert (await officer.sends(f"{room}/say", text=f"Apakah nomor Anda {PHONE} dan NIK {NIK}?")).status_code == 303
    assert (await officer.sends(f"{room}/say", text=EVERYTHING * 60)).status_code == 422
    assert (await officer.sends(f"{room}/hand-back")).status_code == 303


async def an_officer_answers(client: httpx.AsyncClient, officer: Officer, citizen: Citizen, number: str) -> None:
    ticket = f"/desk/tickets/{number}"
    for path in (f"/desk/conversations?words={NIK}", f"/desk/tickets?text={PHONE}", f"/desk/audit?subject={NIK}", ticket):
        await officer.reads(path)
    assert (await officer.opens(f"/desk/conversations/export.csv?words={NIK}")).status_code == 200
    assert NAME in (await officer.sends(f"{ticket}/reveal", reason=REASON)).text
    assert (await officer.sends(f"{ticket}/move", state="ditelaah")).status_code == 303
    assert (await officer.sends(f"{ticket}/note", text=f"{NOTE}, NIK {NIK}")).status_code == 303
    sent = {"file": (FILE_NAME, f"%PDF-1.7 {FILE_TEXT}".encode(), "application/pdf")}
    uploaded = await client.post(f"{ticket}/files", data={"form_token": officer.form_token}, files=sent)
    assert uploaded.status_code == 303
    assert (await officer.sends(f"{ticket}/answer", resolution="dikabulkan", text=f"{ANSWER} {NAME}")).status_code == 303
    assert ANSWER in await citizen.says("cek status tiket saya")
    conversations = set(re.findall(r"/desk/conversations/([\w-]{8,})", await officer.reads("/desk/conversations")))
    assert conversations
    for one in conversations:
        await officer.reads(f"/desk/conversations/{one}")
        assert (await officer.sends(f"/desk/conversations/{one}/unmask", reason=REASON)).status_code == 200
        assert (await officer.sends(f"/desk/conversations/{one}/note", note=CONVERSATION_NOTE)).status_code == 303
    await officer.sends("/desk/settings/channels/web", off="", reason=REASON)
    assert (await officer.sends("/desk/staff/admin/email", email=NIK)).status_code == 422


async def a_citizen_on_telegram(api: BotApi) -> None:
    sender = {"id": CHAT, "is_bot": False, "first_name": FIRST_NAME, "username": USERNAME, "language_code": "id"}
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
    api.failures["sendMessage"] = [(500, {}), (400, {"description": f"Bad Request: {EVERYTHING}"})]
    for text in (EVERYTHING, f"cek status simpel DEMO-SMP-000103 kode {WRONG_CODE}", *REQUEST, NAME, ADDRESS, EMAIL):
        api.send(CHAT, text, **{"from": sender})
    api.send(CHAT, contact={"phone_number": PHONE, "first_name": FIRST_NAME}, **{"from": sender})
    api.send(CHAT, photo=photo, caption=EVERYTHING, **{"from": sender})
    api.press(CHAT, NIK)
    api.push({"inline_query": {"id": "1", "from": sender, "query": EVERYTHING, "offset": ""}})
    for word in (crashing.IN_UNDERSTANDING, crashing.IN_AN_ACTION):
        api.send(CHAT, f"apa itu setneg mantul? {word} {NIK}", **{"from": sender})
    await api.until_called("answerCallbackQuery")
    async with asyncio.timeout(60):
        while api.unconfirmed or len(api.sent_to(CHAT)) < 12:
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running(folder: Path, planted: Planted, database: str) -> AsyncIterator[tuple[RealServer, BotApi]]:
    program = (sys.executable, "-m", "tests.planted.server")
    async with BotApi() as api:
        telegram = {"TELEGRAM_BOT_TOKEN": BOT_TOKEN, "TELEGRAM_BASE_URL": api.base_url}
        settings = {**telegram, "DATABASE_URL": database, "PYTHONPATH": str(PROJECT)}
        with RealServer(folder, program, **settings) as started:
            await asyncio.to_thread(started.start)
            keys = KeyFile(started.data).read()
            planted.values["key"] = keys[0]
            planted.values["webhook secret"] = Encryption(keys).fingerprint("telegram-webhook", BOT_TOKEN)
            yield started, api


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    with database_of(request.param) as url:
        yield url


def dump(database: str) -> bytes:
    """All that PostgreSQL holds, as text; what lies in it as bytes is hexadecimal there."""
    return subprocess.run(["pg_dump", "--no-owner", database], check=True, capture_output=True, timeout=60).stdout


@pytest.mark.scale  # it starts a whole server: half a minute on two cores
@pytest.mark.timeout(240)
async def test_after_a_whole_run_no_planted_value_lies_in_the_clear_and_one_socket_listens(database: str, tmp_path: Path) -> None:
    planted = Planted()
    async with (
        running(tmp_path, planted, database) as (started, api),
        httpx.AsyncClient(base_url=started.url, trust_env=False, timeout=30) as client,
        httpx.AsyncClient(base_url=started.url, trust_env=False, timeout=30) as browser,
    ):
        password = planted.values["first password"] = re.findall(r"user name admin, password (\S+)", started.logs())[0]
        async with asyncio.TaskGroup() as together:
            together.create_task(a_citizen_on_telegram(api))
            citizen, number = await a_citizen_files_a_request(client, planted)
            await a_citizen_asks_for_the_rest(client, planted)
            await a_citizen_without_javascript(client)
            await requests_that_go_wrong(client, planted)
            officer = await the_desk(browser, password, planted)
            await an_officer_takes_over(client, officer)
            await an_officer_answers(browser, officer, citizen, number)
        assert listening_sockets(started.pid) == [f"tcp 127.0.0.1:{started.port}"]
        for path in ("/webhooks/rest/webhook", "/model/parse", "/conversations/x/tracker", "/status", "/webhook"):
            assert (await client.post(path, json={})).status_code in (404, 405), path
        written = [(f"{name} while it runs", content) for name, content in files_below(started.data).items()]
        assert any(name.startswith("sapa.db-wal") for name, _ in written) == (not database)
        await asyncio.to_thread(started.end)
        written += files_below(started.data).items()
        if database:
            written.append(("sapa.dump", await asyncio.to_thread(dump, database)))
        log = started.logs().encode()
    assert any(STANDS_IN_THE_LOG.encode() in content for name, content in written if name.startswith(("sapa.db", "sapa.dump")))
    faults = {name: planted.found_in(content, but=["key"] if name.startswith("keys.txt") else ()) for name, content in written}
    faults["log"] = planted.found_in(log, but=["first password", "SIMPEL code"])  # both are printed at the first start
    assert STANDS_IN_THE_LOG.encode() not in log
    assert log.count(b'"event": "turn failed"') >= 1 and b'"event": "request failed"' in log
    assert {name: found for name, found in faults.items() if found} == {}
