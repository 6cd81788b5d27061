"""Who may use a route. Each route of the desk depends on `Access.may(...)`; a test walks them so that none is forgotten."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Any

from fastapi import Depends, Request

from services.desk_sessions import DeskSessions, Session
from services.permissions import Permission

SAFE_METHODS = ("GET", "HEAD")


class NotSignedIn(Exception):
    """The browser has no session, or one that has ended."""


class NotAllowed(Exception):
    """The role does not allow it."""

    def __init__(self, session: Session) -> None:
        super().__init__("not allowed")
        self.session = session


class ForeignForm(Exception):
    """A form that this desk didn't hand to this session."""


def cookie_name(request: Request) -> str:
    """`__Host-` binds the cookie to this host; browsers take it over https only, so plain http on one machine has another name."""
    return "__Host-sapa_desk" if request.url.scheme == "https" else "sapa_desk"


def form_token(session: Session) -> str:
    """Goes into every form of the session, as the field `form_token` or the header `X-Form-Token`."""
    return hashlib.sha256(b"form" + session.token.encode()).hexdigest()


def must_be_own_site(request: Request) -> None:
    """Raises `ForeignForm` where the browser says that another site sent the request."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignForm


class Access:
    def __init__(self, sessions: DeskSessions) -> None:
        self._sessions = sessions

    def may(self, permission: Permission, *, by_itself: bool = False) -> Any:
        """A dependency that gives the `Session`. Raises `NotSignedIn`, `NotAllowed`, `ForeignForm`.

        `by_itself`: open pages ask this route by themselves, so that it keeps no session going.
        """

        async def check(request: Request) -> Session:
            session = await self.session(request, by_itself=by_itself)
            if session is None:
                raise NotSignedIn
            try:
                if request.method not in SAFE_METHODS:
                    await _must_be_own_form(request, session)
                if not session.may(permission):
                    raise NotAllowed(session)
            except (ForeignForm, NotAllowed):
                await request.close()  # a file that came with the form
                raise
            return session

        check.permission = permission  # type: ignore[attr-defined]  # read by the test that walks the routes
        return Depends(check)

    async def session(self, request: Request, *, by_itself: bool = False) -> Session | None:
        token = request.cookies.get(cookie_name(request))
        return await asyncio.to_thread(self._sessions.find, token, by_itself=by_itself) if token else None

    def is_signed_in(self, session: Session) -> bool:
        """Whether it still is."""
        return self._sessions.find(session.token, by_itself=True) is not None


async def _must_be_own_form(request: Request, session: Session) -> None:
    must_be_own_site(request)
    given = request.headers.get("x-form-token") or (await request.form()).get("form_token") or ""
    if not hmac.compare_digest(str(given).encode(), form_token(session).encode()):
        raise ForeignForm
