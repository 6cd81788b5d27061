"""Files that go with an answer: checked, stored encrypted outside of what the server publishes, opened by a signed link.

As long as a ticket is open its files are only prepared; once it is answered they are part of the answer and stay.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from itsdangerous import BadSignature, SignatureExpired
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.file_types import media_type, safe_name
from services.receipts import LinkFault
from services.refused import Refused
from services.signed_tokens import SignedTokens
from services.ticket_events import Actor, Happening, change_ticket, record
from services.tickets import State
from services.virus_scan import ScannerUnreachable, is_clean
from store.database import Database, utc_now
from store.database_copy import sync
from store.encryption import Encryption
from store.ticket_models import Ticket, TicketFile

PATH = "/berkas/"
MOST_FILES = 10
"""Files of one answer."""


class FileProblem(StrEnum):
    EMPTY = "file_empty"
    SIZE = "file_size"
    TYPE = "file_type"
    NAME = "file_name"
    """The name's ending is not one of the content's type."""
    NUMBER = "file_number"
    INFECTED = "file_infected"
    NOT_SCANNED = "file_not_scanned"
    CLOSED = "closed"


class FileRefused(Refused[FileProblem]):
    """A file that can't be kept."""


@dataclass(frozen=True)
class StoredFile:
    id: int
    name: str
    media_type: str
    size: int
    officer: str
    at: datetime


class TicketFiles:
    """`folder` holds the contents; `scanner` is the address of a clamd, or empty; `hours` is how long a link works."""

    def __init__(
        self, database: Database, encryption: Encryption, folder: Path, *, megabytes: int, scanner: str, hours: int, address: str
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._folder = folder
        self._scanner = scanner
        self._address = address
        self.largest = megabytes * 1024 * 1024
        self.hours = hours
        self._serializer = SignedTokens(encryption.signing_keys, salt="files")

    def add(self, number: str, given_name: str, content: bytes, officer: str, now: datetime | None = None) -> StoredFile:
        """Check and keep a file for the answer. Raises KeyError for an unknown number, `FileRefused`."""
        name, kind = self._checked(given_name, content)
        stored_as = secrets.token_hex(16)
        path = self._path(stored_as)

        def attach(session: Session, ticket: Ticket) -> TicketFile:
            _must_be_open(ticket)
            kept = session.scalar(select(func.count()).where(TicketFile.ticket_id == ticket.id)) or 0
            if kept >= MOST_FILES:
                raise FileRefused(FileProblem.NUMBER)
            file = TicketFile(
                ticket_id=ticket.id,
                name=self._encryption.seal(name),
                media_type=kind,
                size=len(content),
                stored_as=stored_as,
                officer=officer,
                at=now or utc_now(),
            )
            session.add(file)
            session.flush()
            record(session, ticket, Happening.ATTACHED, Actor.OFFICER, file.at, {"officer": officer, "file": file.id})
            return file

        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        try:
            path.write_bytes(self._encryption.seal_bytes(content))
            for written in (path, path.parent, self._folder):  # the row that names the file is durable, so the file is, too
                sync(written)
            file = change_ticket(self._database, number, attach)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return self._stored(file)

    def remove(self, number: str, file_id: int, officer: str) -> None:
        """Take a file away before the answer. Raises KeyError for an unknown ticket or file, `FileRefused` after the answer."""

        def detach(session: Session, ticket: Ticket) -> str:
            _must_be_open(ticket)
            file = session.get(TicketFile, file_id)
            if file is None or file.ticket_id != ticket.id:
                raise KeyError(file_id)
            session.delete(file)
            record(session, ticket, Happening.DETACHED, Actor.OFFICER, utc_now(), {"officer": officer, "file": file_id})
            return file.stored_as

        self._path(change_ticket(self._database, number, detach)).unlink(missing_ok=True)

    def of(self, number: str) -> list[StoredFile]:
        with self._database.session() as session:
            files = list(session.scalars(select(TicketFile).join(Ticket).where(Ticket.number == number).order_by(TicketFile.id)))
        return [self._stored(file) for file in files]

    def read(self, number: str, file_id: int) -> tuple[StoredFile, bytes]:
        """A file of this very ticket and its content. Raises KeyError."""
        with self._database.session() as session:
            file = session.scalar(select(TicketFile).join(Ticket).where(Ticket.number == number, TicketFile.id == file_id))
        if file is None:
            raise KeyError(file_id)
        return self._stored(file), self._encryption.unseal_bytes(self._path(file.stored_as).read_bytes())

    def link(self, number: str) -> str:
        """An address that shows a citizen the files of an answered ticket, for some hours."""
        return f"{self._address}{PATH}{self._serializer.dumps(number)}"

    def open(self, token: str) -> str | LinkFault:
        """The number of the answered ticket that the token of a link stands for."""
        try:
            number = str(self._serializer.loads(token, max_age=self.hours * 3600))
        except SignatureExpired:
            return LinkFault.EXPIRED
        except BadSignature:
            return LinkFault.FORGED
        with self._database.session() as session:
            answered = session.scalar(select(Ticket.id).where(Ticket.number == number, Ticket.state == State.CLOSED))
        return number if answered else LinkFault.FORGED

    def _checked(self, given_name: str, content: bytes) -> tuple[str, str]:
        if not content:
            raise FileRefused(FileProblem.EMPTY)
        if len(content) > self.largest:
            raise FileRefused(FileProblem.SIZE)
        kind = media_type(content)
        if kind is None:
            raise FileRefused(FileProblem.TYPE)
        name = safe_name(given_name, kind)
        if name is None:
            raise FileRefused(FileProblem.NAME)
        if self._scanner:
            try:
                clean = is_clean(content, self._scanner)
            except ScannerUnreachable as error:
                raise FileRefused(FileProblem.NOT_SCANNED) from error
            if not clean:
                raise FileRefused(FileProblem.INFECTED)
        return name, kind

    def _path(self, stored_as: str) -> Path:
        return self._folder / stored_as[:2] / stored_as

    def _stored(self, file: TicketFile) -> StoredFile:
        return StoredFile(file.id, str(self._encryption.unseal(file.name)), file.media_type, file.size, file.officer, file.at)


def _must_be_open(ticket: Ticket) -> None:
    if ticket.state == State.CLOSED:
        raise FileRefused(FileProblem.CLOSED)
