"""Asks a clamd, where one is set, whether a file is clean (its protocol: INSTREAM)."""

from __future__ import annotations

import socket
import struct

SECONDS = 30
CHUNK = 64 * 1024


class ScannerUnreachable(Exception):
    """No verdict: clamd is not there, was too slow, or said something else than a verdict."""


def is_clean(content: bytes, address: str) -> bool:
    """`address` is `unix:/path/of/the/socket` or `host:port`. Raises `ScannerUnreachable`."""
    try:
        with _connect(address) as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), CHUNK):
                part = content[start : start + CHUNK]
                connection.sendall(struct.pack("!L", len(part)) + part)
            connection.sendall(struct.pack("!L", 0))
            verdict = _answer(connection)
    except OSError as error:
        raise ScannerUnreachable from error
    if verdict.endswith(b"FOUND"):
        return False
    if verdict.endswith(b"OK"):
        return True
    raise ScannerUnreachable


def _connect(address: str) -> socket.socket:
    if not address.startswith("unix:"):
        host, _, port = address.rpartition(":")
        return socket.create_connection((host, int(port)), SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(SECONDS)
    try:
        connection.connect(address.removeprefix("unix:"))
    except OSError:
        connection.close()
        raise
    return connection


def _answer(connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < CHUNK:
        part = connection.recv(1024)
        if not part:
            break
        answer += part
    return answer.rstrip(b"\0\n")
