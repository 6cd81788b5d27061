"""A desk with a day's work on it: accounts, conversations, tickets and a waiting citizen, on the data of a running server."""

from __future__ import annotations

from datetime import timedelta

import httpx
from playwright.sync_api import Page

from services.assembly import Services, assemble
from services.conversation_log import LogFilter
from services.handoff import Handoffs
from services.settings import Settings
from services.staff import Role
from services.tickets import Filing, Kind
from store.database import utc_now
from tests.browser.running_server import RunningServer

PASSWORD = "kopi tubruk pagi hari"
STAFF = (("ratna", "Ratna Dewi", Role.PPID), ("budi", "Budi Santoso", Role.OFFICER), ("sri", "Sri Wahyuni", Role.ADMIN))
QUESTIONS = (
    ["apa itu simpel?", "berapa gaji anak magang di setneg"],
    ["gmn cara kunjungan kampus ke setneg", "terus syaratnya apa?", "makasih"],
    ["what is Setneg Mantul?"],
    ["harga bitcoin hari ini?"],
)
REQUESTS = (
    ("Laporan kinerja Kementerian Sekretariat Negara tahun 2025 beserta lampirannya", 17),
    ("Daftar informasi publik yang berlaku saat ini", 12),
    ("Rincian anggaran layanan kunjungan Istana tahun 2024", 3),
)


class AlwaysOpen:
    """Service hours without an end, so that the tests run at night as well."""

    def is_open(self, _moment: object) -> bool:
        return True


class DeskDay:
    def __init__(self, server: RunningServer) -> None:
        self.server = server
        settings = Settings(_env_file=None, SAPA_DATA_DIR=server.data)  # type: ignore[call-arg]  # named by its environment variable
        self.requests: list[str] = []
        """Numbers of the information requests, the oldest first."""
        self.services: Services = assemble(settings, knowledge=object())  # type: ignore[arg-type]  # nothing here asks it anything
        tomorrow = timedelta(days=1)
        self.handoffs = Handoffs(
            self.services.database,
            self.services.conversations,
            self.services.drafts,
            AlwaysOpen(),  # type: ignore[arg-type]  # all that asking needs
            lambda: utc_now() + tomorrow,  # so that the server's own service hours end nobody's waiting
        )

    def begin(self) -> None:
        for login, name, role in STAFF:
            self.services.staff.add(login, name, role, "uji", PASSWORD)
        for questions in QUESTIONS:
            self.talk(*questions)
        for details, days_ago in REQUESTS:
            fields = {"details": details, "purpose": "Penelitian", "name": "Siti", "contact": "siti@contoh.id"}
            self.requests.append(self.file(Kind.INFORMATION_REQUEST, days_ago, **fields))
        self.file(Kind.ASPIRATION, 1, text="Mohon jadwal kunjungan Istana diumumkan lebih awal.", topic="layanan")

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
        filing = Filing(kind, fields, "perorangan", self.newest_conversation(), "id")
        return self.services.tickets.file(filing, utc_now() - timedelta(days=days_ago)).number

    def somebody_waits(self) -> int:
        """A citizen who agreed that the officer reads along; the id of the hand-off."""
        conversation = self.talk("apa itu simpel?", "permohonan saya dikembalikan terus")
        handoff_id = self.handoffs.ask(conversation).handoff_id
        self.handoffs.answer(conversation, agreed=True)
        return handoff_id


def sign_in(page: Page, login: str) -> None:
    page.goto("/desk/sign-in")
    page.get_by_label("Nama pengguna").fill(login)
    page.get_by_label("Kata sandi").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
