"""A clamd on a socket of this machine, that finds what the EICAR test file holds."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class _Scan(socketserver.StreamRequestHandler):
    says: bytes | None = None

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!L", self.rfile.read(4))[0]:
            content += self.rfile.read(length)
        verdict = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0"
        self.wfile.write(verdict if self.says is None else self.says)


@contextmanager
def running_clamd(path: Path | None = None, says: bytes | None = None) -> Iterator[str]:
    """Its address: a port, or the socket `path`. `says`: what it answers to everything, and then hangs up."""
    scan = type("Scan", (_Scan,), {"says": says})
    port = ("127.0.0.1", 0)
    with socketserver.ThreadingUnixStreamServer(str(path), scan) if path else socketserver.ThreadingTCPServer(port, scan) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix:{path}" if path else f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
