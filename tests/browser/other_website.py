"""A website of somebody else, on an origin of its own, with the pages that a test gives it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class OtherWebsite:
    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.stranger = f"http://localhost:{port}"
        """The same pages under an origin that no server lists."""
        self._pages: dict[str, tuple[str, str]] = {}

    def publish(self, path: str, html: str, policy: str) -> None:
        """Serve a page with the Content-Security-Policy `policy`."""
        self._pages[path] = (f'<!doctype html><html lang="id"><title>Situs lain</title><h1>Situs lain</h1>{html}', policy)

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[OtherWebsite]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                html, policy = website._pages.get(self.path, ("", ""))
                self.send_response(200 if html else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                if policy:
                    self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(html.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
            website = cls(listening.server_port)
            threading.Thread(target=listening.serve_forever, daemon=True).start()
            try:
                yield website
            finally:
                listening.shutdown()
