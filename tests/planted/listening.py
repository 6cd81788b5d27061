"""Which sockets a process listens on, read from /proc."""

from __future__ import annotations

import socket
from pathlib import Path

LISTENS, UNCONNECTED = "0A", "07"
"""States in /proc/net: of a TCP socket that listens, of a UDP socket that takes from anybody."""
ACCEPTS = 0x10000
"""Flag in /proc/net/unix of a socket that takes connections."""


def listening_sockets(pid: int) -> list[str]:
    """Of the process and all that descend from it, such as `tcp 127.0.0.1:8080`."""
    own = {inode for one in _family(pid) for inode in _inodes(one)}
    found = []
    for kind, state in (("tcp", LISTENS), ("tcp6", LISTENS), ("udp", UNCONNECTED), ("udp6", UNCONNECTED)):
        for line in _lines(kind):
            _, local, _, its_state, *_, inode = line.split()[:10]
            if its_state == state and inode in own:
                found.append(f"{kind} {_address(local)}")
    for line in _lines("unix"):
        _, _, _, flags, _, _, inode, *path = line.split()
        if int(flags, 16) & ACCEPTS and inode in own:
            found.append(f"unix {' '.join(path)}")
    return sorted(found)


def _lines(kind: str) -> list[str]:
    path = Path("/proc/net") / kind
    return path.read_text().splitlines()[1:] if path.exists() else []


def _address(hexadecimal: str) -> str:
    """As the kernel writes it: words of four bytes, each with the lowest byte first."""
    address, _, port = hexadecimal.partition(":")
    raw = b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))
    return f"{socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)}:{int(port, 16)}"


def _inodes(pid: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed in the meantime
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def _family(pid: int) -> list[int]:
    family = [pid]
    for one in family:
        for task in Path(f"/proc/{one}/task").iterdir():
            family += [int(child) for child in (task / "children").read_text().split()]
    return family
