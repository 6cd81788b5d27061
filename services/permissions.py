"""What each role at the desk may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    READER = "pembaca"
    OFFICER = "petugas"
    PPID = "ppid"
    EDITOR = "penyunting"
    ADMIN = "admin"


class Permission(StrEnum):
    OWN_ACCOUNT = "own_account"
    READ_CONVERSATIONS = "read_conversations"
    EXPORT = "export"
    TAKE_OVER = "take_over"
    UNMASK = "unmask"
    READ_TICKETS = "read_tickets"
    HANDLE_TICKETS = "handle_tickets"
    HANDLE_REQUESTS = "handle_requests"
    """Information requests and objections: the law puts them into the hands of the PPID."""
    TEACH = "teach"
    EDIT_KNOWLEDGE = "edit_knowledge"
    READ_OVERVIEW = "read_overview"
    ADMINISTER = "administer"


_READ = {Permission.OWN_ACCOUNT, Permission.READ_CONVERSATIONS, Permission.READ_TICKETS, Permission.READ_OVERVIEW}
_SERVE = _READ | {Permission.TAKE_OVER, Permission.HANDLE_TICKETS, Permission.TEACH}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.READER: frozenset(_READ),
    Role.OFFICER: frozenset(_SERVE),
    Role.PPID: frozenset(_SERVE | {Permission.HANDLE_REQUESTS, Permission.UNMASK, Permission.EXPORT}),
    Role.EDITOR: frozenset(_READ | {Permission.TEACH, Permission.EDIT_KNOWLEDGE}),
    Role.ADMIN: frozenset(Permission),
}


def allows(role: str, permission: Permission) -> bool:
    """Whether somebody with this role, as the database keeps it, may do that."""
    return permission in PERMISSIONS[Role(role)]
