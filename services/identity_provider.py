"""Signing in through the ministry's identity provider: OpenID Connect, code flow with PKCE (RFC 7636).

The provider says who somebody is; what they may do stands in their account here. Nobody gets an account by signing in.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "PS256", "ES256"]
"""Signatures with the provider's own key: neither `none` nor a shared secret."""
SECONDS = 8.0
LEEWAY = 60
"""Seconds by which the two clocks may differ."""
SCOPES = "openid email profile"


class NotProven(Exception):
    """The provider can't be reached, or its answer does not prove who somebody is; the message is for the log."""


@dataclass(frozen=True)
class Begun:
    """What the browser keeps, sealed, until it comes back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is: an e-mail address that it has verified, and the claim that holds the login, where one is set."""

    email: str
    login: str


class IdentityProvider:
    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        redirect_address: str,
        login_claim: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_address = redirect_address
        self._login_claim = login_claim
        self._clock = clock

    def begin(self) -> tuple[str, Begun]:
        """Where the browser goes, and what it must bring back. Raises `NotProven`."""
        begun = Begun(*(secrets.token_urlsafe(32) for _ in range(3)))
        with self._client() as client:
            endpoint = self._discover(client)["authorization_endpoint"]
        address = prepare_grant_uri(
            endpoint,
            client_id=self._client_id,
            response_type="code",
            redirect_uri=self._redirect_address,
            scope=SCOPES,
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
        )
        return str(address), begun

    def finish(self, begun: Begun, state: str, code: str) -> Identity:
        """Who has signed in. Raises `NotProven`."""
        if not secrets.compare_digest(state.encode(), begun.state.encode()) or not code:
            raise NotProven("state")
        with self._client() as client:
            found = self._discover(client)
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_address,
                "code_verifier": begun.verifier,
            }
            token = _asked(client, "POST", found["token_endpoint"], data=form, auth=(self._client_id, self._client_secret))
            keys = _asked(client, "GET", found["jwks_uri"])
        return self._identity(self._claims(token, keys, begun.nonce))

    def _claims(self, token: dict[str, Any], keys: Any, nonce: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode(str(token.get("id_token", "")), KeySet.import_key_set(keys), algorithms=ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client_id},
                "exp": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            }
            params = {"client_id": self._client_id, "nonce": nonce, "access_token": token.get("access_token")}
            claims = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(now=int(self._clock()), leeway=LEEWAY)
        except Exception as error:  # both libraries have many errors, and each of them means: not proven
            raise NotProven(type(error).__name__) from error
        return dict(claims)

    def _identity(self, claims: dict[str, Any]) -> Identity:
        email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
        login = str(claims.get(self._login_claim, "")) if self._login_claim else ""
        return Identity(email.strip().lower(), login.strip().lower())

    def _discover(self, client: httpx.Client) -> dict[str, Any]:
        found = _asked(client, "GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            raise NotProven("issuer")
        if not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= found.keys():
            raise NotProven("discovery")
        return found

    @staticmethod
    def _client() -> httpx.Client:
        return httpx.Client(timeout=SECONDS)


def _asked(client: httpx.Client, method: str, address: str, **options: Any) -> dict[str, Any]:
    try:
        content = client.request(method, address, **options).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotProven(type(error).__name__) from error
    if not isinstance(content, dict):
        raise NotProven("answer")
    return content
