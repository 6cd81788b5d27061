"""Passwords of the staff, kept as Argon2 hashes."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
_HASHER = PasswordHasher()


def made_up() -> str:
    return secrets.token_urlsafe(12)


def hashed(password: str) -> str:
    return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password[:LONGEST_PASSWORD])
    except VerifyMismatchError:
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than a hash of today."""
    return _HASHER.check_needs_rehash(password_hash)


@cache
def hash_of_nobody() -> str:
    """What an unknown login is compared with, so that it takes as long to refuse as a known one. Made once: it is slow by intent."""
    return hashed(secrets.token_hex())
