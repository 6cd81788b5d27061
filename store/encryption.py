"""Encrypts personal fields at rest and makes keyed fingerprints of what must be found again but not read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, MultiFernet


class Encryption:
    def __init__(self, keys: list[str]) -> None:
        """`keys` are Fernet keys, newest first; older ones still decrypt. The oldest one makes fingerprints."""
        if not keys:
            raise ValueError("at least one encryption key is needed")
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._fingerprint_key = hashlib.sha256(b"fingerprint" + keys[-1].encode()).digest()
        self.signing_key = hashlib.sha256(b"signing" + keys[-1].encode()).hexdigest()

    def seal(self, value: Any) -> bytes:
        """Encrypt anything that JSON can hold."""
        return self._fernet.encrypt(json.dumps(value, ensure_ascii=False).encode())

    def unseal(self, sealed: bytes) -> Any:
        """Raises `cryptography.fernet.InvalidToken` when no key fits or the bytes were changed."""
        return json.loads(self._fernet.decrypt(sealed))

    def seal_bytes(self, content: bytes) -> bytes:
        """Encrypt a file's content."""
        return self._fernet.encrypt(content)

    def unseal_bytes(self, sealed: bytes) -> bytes:
        """Raises `cryptography.fernet.InvalidToken` as `unseal` does."""
        return self._fernet.decrypt(sealed)

    def fingerprint(self, *parts: str) -> str:
        """64 hex digits, the same for the same parts; useless without the key."""
        return hmac.new(self._fingerprint_key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def load_keys(configured: str, data_dir: Path) -> list[str]:
    """Keys from `SAPA_KEYS` (comma-separated), or from the data folder, where they are generated once."""
    if configured.strip():
        return [key.strip() for key in configured.split(",") if key.strip()]
    path = data_dir / "keys.txt"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(Fernet.generate_key().decode() + "\n")
        try:
            os.link(partial, path)  # fails where another process was first, and its keys are the ones to use
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_text().split()
