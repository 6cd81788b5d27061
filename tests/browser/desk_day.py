"""A desk with a day's work on it: accounts, conversations, tickets, waiting citizens and lessons, on the data of a running server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import update

from services.assembly import Services, assemble
from services.conversation_log import LogFilter
from services.handoff import Handoffs
from services.permissions import Role
from services.settings import Settings
from services.tickets import Filing, Kind, Resolution, State
from store.database import utc_now
from store.models import Handoff
from tests.browser.earlier_talk import leave_earlier_talk
from tests.browser.running_server import RunningServer
from tests.desk.filed import FIELDS, SUBJECTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIRST_PASSWORD, PASSWORD = "teh melati sore hari", "kopi tubruk pagi hari"
STAFF = (
    ("ratna", "Ratna Dewi", Role.PPID),
    ("budi", "Budi Santoso", Role.OFFICER),
    ("dewi", "Dewi Anggraini", Role.EDITOR),
    ("sri", "Sri Wahyuni", Role.ADMIN),
)
QUESTIONS = (
    ["apa itu simpel?", "berapa gaji anak magang di setneg"],
    ["gmn cara kunjungan kampus ke setneg", "terus syaratnya apa?", "makasih"],
    ["what is Setneg Mantul?"],
    ["harga bitcoin hari ini?"],
)
REQUESTS = (
    ("Laporan kinerja Kementerian Sekretariat Negara tahun 2025 beserta lampirannya", 17),
    ("Daftar informasi publik yang berlaku saat ini", 12),
    ("Notula rapat penyusunan standar layanan informasi tahun 2025", 9),
    ("Rincian anggaran layanan kunjungan Istana tahun 2024", 3),
    ("Jumlah peserta program magang tahun 2025 menurut provinsi asal", 0),
)


class AlwaysOpen:
    """Service hours without an end, so that the tests run at night as well."""

    def is_open(self, _moment: object) -> bool:
        return True


class DeskDay:
    def __init__(self, server: RunningServer) -> None:
        self.server = server
        settings = Settings(_env_file=None, SAPA_DATA_DIR=server.data)
        self.requests: list[str] = []
        """Numbers of the open information requests, the oldest first."""
        self.refused = ""
        """Number of a request that was refused after an extension."""
        self.services: Services = assemble(settings, knowledge=object())  # type: ignore[arg-type]  # nothing here asks it anything
        self._ahead = timedelta(days=1)
        self.handoffs = Handoffs(
            self.services.database,
            self.services.conversations,
            self.services.drafts,
            AlwaysOpen(),  # type: ignore[arg-type]  # all that asking needs
            lambda: utc_now() + self._ahead,  # so that the server's own service hours end nobody's waiting
        )

    def begin(self) -> None:
        for login, name, role in STAFF:
            self.add_member(login, name, role)
        leave_earlier_talk(self.services)
        for questions in QUESTIONS:
            self.talk(*questions)
        for details, days_ago in REQUESTS:
            self.requests.append(self.file(Kind.INFORMATION_REQUEST, days_ago, details=details, purpose="Penelitian"))
        self.refused = self.file(Kind.INFORMATION_REQUEST, 7, details="Data pribadi penerima undangan upacara 17 Agustus")
        self.file(Kind.OBJECTION, 4)
        self.file(Kind.ASPIRATION, 1, text="Mohon jadwal kunjungan Istana diumumkan lebih awal.", topic="layanan")
        reviewed, closed = self.file(Kind.ASPIRATION, 2), self.file(Kind.ASPIRATION, 6)
        changes = self.services.ticket_changes
        changes.assign(self.requests[0], "ratna", "ratna")
        changes.move(reviewed, State.REVIEWED, "budi")
        changes.answer(closed, "Terima kasih atas aspirasi Anda. Sudah kami teruskan.", Resolution.ANSWERED, "budi")
        changes.rate(closed, 4)
        changes.extend(self.refused, "Dokumen dikumpulkan dari tiga unit kerja.", "ratna")
        changes.answer(self.refused, "Memuat data pribadi orang lain.", Resolution.REFUSED, "ratna", grounds=["h"])

    def add_member(self, login: str, name: str, role: Role) -> None:
        """An account whose owner has chosen a password, `PASSWORD`."""
        staff = self.services.staff
        staff.add(login, name, role, "uji", FIRST_PASSWORD)
        session: Any = self.services.sign_in.by_password(login, FIRST_PASSWORD, "", f"uji-{login}", "")
        staff.change_password(session, FIRST_PASSWORD, PASSWORD)
        self.services.desk_sessions.end(session.staff_id, session.id)

    def talk(self, *texts: str) -> str:
        """A conversation on the web channel; its id."""
        with httpx.Client(base_url=self.server.url, timeout=60) as client:
            token = client.post("/api/chat/sessions", json={"locale": "id"}).json()["token"]
            for number, text in enumerate(texts):
                body = {"client_message_id": f"00000000-0000-4000-8000-{number:012d}", "text": text}
                client.post("/api/chat/messages", json=body, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
        return self.newest_conversation()

    def newest_conversation(self) -> str:
        return self.services.conversation_log.search(LogFilter(), 0, limit=1)[0].id

    def file(self, kind: Kind, days_ago: int, **fields: str) -> str:
        """The number of a ticket that the newest conversation filed."""
        filing = Filing(kind, FIELDS[kind] | fields, SUBJECTS[kind], self.newest_conversation(), "id")
        return self.services.tickets.file(filing, utc_now() - timedelta(days=days_ago)).number

    def somebody_waits(self, *texts: str) -> int:
        """A citizen who agreed that the officer reads along; the id of the hand-off."""
        conversation = self.talk(*(texts or ("apa itu simpel?", "permohonan saya dikembalikan terus")))
        handoff_id = self.handoffs.ask(conversation).handoff_id
        self.handoffs.answer(conversation, agreed=True)
        return handoff_id

    def waits_since(self, handoff_id: int, minutes: int) -> None:
        """Put the hand-off where the clock on the wall has it; the server ends it soon where its service hours are over."""
        then = utc_now() - timedelta(minutes=minutes)
        moments: dict[str, datetime] = {"asked_at": then}
        if self.handoffs.get(handoff_id).taken_at:
            moments["taken_at"] = then + timedelta(minutes=2)
        with self.services.database.session() as session:
            session.execute(update(Handoff).where(Handoff.id == handoff_id).values(moments))

    @contextmanager
    def colleague(self, login: str) -> Iterator[Colleague]:
        with httpx.Client(base_url=self.server.url, timeout=60, headers={"Sec-Fetch-Site": "same-origin"}) as client:
            yield Colleague(client, login)


class Colleague:
    """A member of staff at work over HTTP, while somebody else is looked at in the browser."""

    def __init__(self, client: httpx.Client, login: str) -> None:
        self._client = client
        client.post("/desk/sign-in", data={"login": login, "password": PASSWORD})
        self._token = re.findall(r'name="form_token" value="(\w+)"', client.get("/desk/account").text)[0]

    def sends(self, path: str, **fields: Any) -> str:
        """A form of the desk, with the token that every form has; the path that follows."""
        response = self._client.post(path, data={"form_token": self._token, **fields})
        assert response.status_code == 303, (path, response.status_code, response.text)
        return response.headers["location"].partition("?")[0]


def sign_in(page: Page, login: str) -> None:
    page.goto("/desk/sign-in")
    page.get_by_label("Nama pengguna").fill(login)
    page.get_by_label("Kata sandi").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
