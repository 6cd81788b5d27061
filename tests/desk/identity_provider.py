"""A small identity provider over real HTTP, for tests: discovery, keys, codes with PKCE, and tokens that can be made wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "sapa-desk", "rahasia"
KEYS = {name: RSAKey.generate_key(2048, {"kid": "k1"}) for name in ("own", "strangers")}


class Provider:
    def __init__(self, address: str) -> None:
        self.issuer = address
        self.named_issuer = address
        self.claims: dict[str, Any] = {"sub": "7", "email": "sari@setneg.go.id", "email_verified": True}
        self.change: Callable[[dict[str, Any]], dict[str, Any]] = dict
        """What a wrong provider would put into the claims."""
        self.signs_with = "own"
        self.asked: dict[str, str] = {}
        """What the desk asked for at the authorization endpoint."""

    def authorize(self, address: str) -> str:
        """What a person who signs in there brings back: the code."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert self.asked["response_type"] == "code"
        assert self.asked["code_challenge_method"] == "S256"
        return "kode-1"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, str] | None:
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        right = form["code"] == "kode-1" and form["redirect_uri"] == self.asked["redirect_uri"]
        if given != f"{CLIENT}:{SECRET}" or challenge != self.asked["code_challenge"] or not right:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": self.asked["nonce"], **self.claims}
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, self.change(claims), KEYS[self.signs_with])
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}

    def answer(self, path: str) -> dict[str, Any] | None:
        discovery = {"issuer": self.named_issuer, "authorization_endpoint": f"{self.issuer}/auth"}
        discovery |= {"token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys"}
        answers = {"/.well-known/openid-configuration": discovery, "/keys": {"keys": [KEYS["own"].as_dict(private=False)]}}
        return answers.get(path)


@contextmanager
def running_provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def _send(self, content: dict[str, Any] | None) -> None:
            self.send_response(200 if content is not None else 400)
            self.end_headers()
            self.wfile.write(json.dumps(content or {"error": "invalid_grant"}).encode())

        def do_GET(self) -> None:
            self._send(provider.answer(self.path))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            self._send(provider.token({name: values[0] for name, values in form.items()}, self.headers["authorization"]))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
