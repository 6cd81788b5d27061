"""What staff do with tickets: who may, what is done, and its entry in the audit log.

Information requests and objections are in the hands of the PPID; all other kinds in those of every officer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from services.audit import SHORTEST_REASON, AuditLog
from services.desk_sessions import Session
from services.permissions import Permission, allows
from services.staff import Staff
from services.ticket_changes import CLOCKED, REFUSING, ChangeRefused, Refusal, TicketChanges
from services.ticket_events import MAX_REASON
from services.ticket_files import StoredFile, TicketFiles
from services.tickets import Kind, Resolution, State, Tickets
from store.staff_models import StaffMember

GROUNDS: dict[str, str] = yaml.safe_load(Path(__file__).with_name("refusal_grounds.yml").read_text(encoding="utf-8"))
"""UU 14/2008 art. 17: letter and what it protects, in the words of the law."""


class NotYoursToHandle(Exception):
    """The role doesn't include this kind of ticket."""


@dataclass(frozen=True)
class Bulk:
    """How an action on several tickets went."""

    done: int
    refused: list[str]
    """Numbers that the rules or the role left as they were."""


def permission_for(kind: Kind) -> Permission:
    return Permission.HANDLE_REQUESTS if kind in CLOCKED else Permission.HANDLE_TICKETS


class TicketDesk:
    """All methods raise KeyError for an unknown number, `NotYoursToHandle`, and `ChangeRefused` or `FileRefused`."""

    def __init__(self, tickets: Tickets, changes: TicketChanges, files: TicketFiles, staff: Staff, audit: AuditLog) -> None:
        self._tickets = tickets
        self._changes = changes
        self._files = files
        self._staff = staff
        self._audit = audit

    def may_handle(self, session: Session, kind: Kind) -> bool:
        return session.may(permission_for(kind))

    def may_reveal(self, session: Session, kind: Kind) -> bool:
        """Who unmasks by role, and who handles it: an answer needs a name and a contact."""
        return session.may(Permission.UNMASK) or self.may_handle(session, kind)

    def colleagues(self, kind: Kind) -> list[StaffMember]:
        """Who can be given such a ticket."""
        needed = permission_for(kind)
        return [one for one in self._staff.everyone() if not one.disabled_at and allows(one.role, needed)]

    def assign(self, session: Session, number: str, to: str | None) -> None:
        kind = self._handled(session, number)
        if to is not None and to not in {one.login for one in self.colleagues(kind)}:
            raise ChangeRefused(Refusal.ASSIGNEE)
        self._changes.assign(number, to, session.login)
        self._audit.record(session.login, "ticket.assigned", number, to=to or "")

    def move(self, session: Session, number: str, state: State) -> None:
        """Take up or forward."""
        self._handled(session, number)
        self._changes.move(number, state, session.login)
        self._audit.record(session.login, "ticket.moved", number, state=state)

    def extend(self, session: Session, number: str, reason: str) -> None:
        """Raises `UnknownYear` too, where the count runs into a year without a decree on days off."""
        self._handled(session, number)
        due = self._changes.extend(number, reason, session.login)
        self._audit.record(session.login, "ticket.extended", number, due_on=due.isoformat())

    def answer(self, session: Session, number: str, text: str, resolution: Resolution, grounds: Sequence[str] = ()) -> None:
        kind = self._handled(session, number)
        needed = kind is Kind.INFORMATION_REQUEST and resolution in REFUSING
        if bool(grounds) != needed or not set(grounds) <= GROUNDS.keys():
            raise ChangeRefused(Refusal.GROUNDS)
        self._changes.answer(number, text, resolution, session.login, grounds=sorted(set(grounds)))
        self._audit.record(session.login, "ticket.answered", number, resolution=resolution)

    def remark(self, session: Session, number: str, text: str) -> None:
        self._handled(session, number)
        self._changes.remark(number, text, session.login)
        self._audit.record(session.login, "ticket.remarked", number)

    def merge(self, session: Session, number: str, into: str) -> None:
        self._handled(session, number)
        self._changes.merge(number, into, session.login)
        self._audit.record(session.login, "ticket.merged", number, into=into)

    def add_file(self, session: Session, number: str, name: str, content: bytes) -> StoredFile:
        self._handled(session, number)
        stored = self._files.add(number, name, content, session.login)
        self._audit.record(session.login, "ticket.file_added", number, file=stored.id, size=stored.size)
        return stored

    def remove_file(self, session: Session, number: str, file_id: int) -> None:
        self._handled(session, number)
        self._files.remove(number, file_id, session.login)
        self._audit.record(session.login, "ticket.file_removed", number, file=file_id)

    def read_file(self, session: Session, number: str, file_id: int) -> tuple[StoredFile, bytes]:
        if not self.may_reveal(session, self._tickets.view(number).kind):
            raise NotYoursToHandle
        return self._files.read(number, file_id)

    def reveal(self, session: Session, number: str, reason: str) -> None:
        """Note that personal data of the ticket is shown now, and why; the caller shows it once."""
        if not self.may_reveal(session, self._tickets.view(number).kind):
            raise NotYoursToHandle
        if not SHORTEST_REASON <= len(reason.strip()) <= MAX_REASON:
            raise ChangeRefused(Refusal.REASON)
        self._audit.record(session.login, "ticket.revealed", number, reason.strip())

    def each(self, numbers: Sequence[str], act: Callable[[str], None]) -> Bulk:
        """Do the same with several tickets; what is refused doesn't hold up the others."""
        refused = []
        for number in numbers:
            try:
                act(number)
            except (KeyError, NotYoursToHandle, ChangeRefused):
                refused.append(number)
        return Bulk(len(numbers) - len(refused), refused)

    def _handled(self, session: Session, number: str) -> Kind:
        kind = self._tickets.view(number).kind
        if not self.may_handle(session, kind):
            raise NotYoursToHandle
        return kind
