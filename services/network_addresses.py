"""Whom a network address stands for, where tries are counted by address."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address


def network_of(address: str) -> str:
    """An IPv6 address's /64: one line has all of its 2^64 addresses. Any other address, and what is none, as it is."""
    try:
        given = ip_address(address)
    except ValueError:
        return address
    if not isinstance(given, IPv6Address) or given.ipv4_mapped:
        return address
    return str(IPv6Network((int(given), 64), strict=False))
