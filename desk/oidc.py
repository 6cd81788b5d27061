"""Signing in through an identity provider, where one is set."""

from __future__ import annotations

import base64
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog
from cryptography.fernet import InvalidToken
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.sign_in import browser_of, let_in, target
from services.identity_provider import Begun, IdentityProvider, NotProven

if TYPE_CHECKING:
    from desk.room import Room

log = structlog.get_logger(__name__)
PATH = "/desk/oidc"
SECONDS_TO_RETURN = 600


def oidc(room: Room) -> APIRouter:
    router = APIRouter(prefix="/oidc")
    configured, encryption = room.services.settings, room.services.encryption
    provider = IdentityProvider(
        configured.oidc_issuer,
        configured.oidc_client_id,
        configured.oidc_client_secret,
        f"{configured.address}{PATH}/callback",
        configured.oidc_login_claim,
    )

    def refused(request: Request, problem: str, status: int) -> Response:
        return room.pages.show(
            request,
            None,
            "sign_in.html",
            status,
            next="",
            login="",
            problem=problem,
            code_needed=False,
            oidc=bool(configured.oidc_issuer),
        )

    @router.get("/start")
    def start(request: Request, next: str = "") -> Response:
        if not configured.oidc_issuer:
            raise HTTPException(404)
        try:
            address, begun = provider.begin()
        except NotProven as error:
            log.warning("identity provider", problem=str(error))
            return refused(request, "oidc_away", 502)
        kept = encryption.seal({**asdict(begun), "next": next[:500], "at": time.time()})
        response = RedirectResponse(address, 303)
        response.set_cookie(
            cookie_name(request),
            base64.urlsafe_b64encode(kept).decode(),
            max_age=SECONDS_TO_RETURN,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    @router.get("/callback")
    def callback(request: Request, state: str = "", code: str = "") -> Response:
        if not configured.oidc_issuer:
            raise HTTPException(404)
        kept = _unsealed(request.cookies.get(cookie_name(request), ""))
        if kept is None:
            return refused(request, "oidc_refused", 401)
        try:
            identity = provider.finish(Begun(kept["state"], kept["nonce"], kept["verifier"]), state, code)
        except NotProven as error:
            log.warning("identity provider", problem=str(error))
            return refused(request, "oidc_refused", 401)
        session = room.services.sign_in.by_provider(identity.email, identity.login, browser_of(request))
        if session is None:
            return refused(request, "oidc_unknown", 403)
        response = let_in(request, session, target(kept["next"], session))
        response.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True)
        return response

    def _unsealed(cookie: str) -> dict[str, str] | None:
        try:
            kept = encryption.unseal(base64.urlsafe_b64decode(cookie.encode()))
        except (InvalidToken, ValueError):
            return None
        return kept if time.time() - kept["at"] <= SECONDS_TO_RETURN else None

    return router


def cookie_name(request: Request) -> str:
    return "__Host-sapa_oidc" if request.url.scheme == "https" else "sapa_oidc"
