"""Encrypts personal fields at rest and makes keyed fingerprints of what must be found again but not read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

T = TypeVar("T")
ONLY_FINGERPRINTS = "fingerprints:"
"""Before a key that neither encrypts, decrypts nor signs any more: fingerprints can't be made anew, so its key can't go."""


class Encryption:
    def __init__(self, keys: list[str], source: KeyFile | None = None) -> None:
        """`keys` are Fernet keys, newest first; older ones still decrypt. The oldest one makes fingerprints.

        `source` is read again when it changes, so that a running process follows a change of keys.
        """
        self._source = source
        self._use(keys)

    def _use(self, keys: list[str]) -> None:
        ciphers = [key for key in keys if not key.startswith(ONLY_FINGERPRINTS)]
        if not ciphers:
            raise ValueError("at least one encryption key is needed")
        self._fernet = MultiFernet([Fernet(key) for key in ciphers])
        oldest = keys[-1].removeprefix(ONLY_FINGERPRINTS)
        self._fingerprint_key = hashlib.sha256(b"fingerprint" + oldest.encode()).digest()
        self.signing_keys = [hashlib.sha256(b"signing" + key.encode()).hexdigest() for key in reversed(ciphers)]
        """Oldest first, as itsdangerous wants them: the newest signs, all are accepted."""

    def _follow_source(self) -> bool:
        changed = self._source is not None and self._source.has_changed()
        if self._source and changed:
            self._use(self._source.read())
        return changed

    def seal(self, value: Any) -> bytes:
        """Encrypt anything that JSON can hold."""
        return self.seal_bytes(json.dumps(value, ensure_ascii=False).encode())

    def unseal(self, sealed: bytes) -> Any:
        """Raises `cryptography.fernet.InvalidToken` when no key fits or the bytes were changed."""
        return json.loads(self.unseal_bytes(sealed))

    def seal_bytes(self, content: bytes) -> bytes:
        """Encrypt a file's content."""
        self._follow_source()
        return self._fernet.encrypt(content)

    def unseal_bytes(self, sealed: bytes) -> bytes:
        """Raises `cryptography.fernet.InvalidToken` as `unseal` does."""
        return self._trying_new_keys(lambda: self._fernet.decrypt(sealed))

    def with_newest_key(self, sealed: bytes) -> bytes:
        """The same content under the newest key. Raises `cryptography.fernet.InvalidToken`."""
        return self._trying_new_keys(lambda: self._fernet.rotate(sealed))

    def _trying_new_keys(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except InvalidToken:
            if not self._follow_source():
                raise
            return work()

    def fingerprint(self, *parts: str) -> str:
        """64 hex digits, the same for the same parts; useless without the key."""
        return hmac.new(self._fingerprint_key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


class KeyFile:
    """`keys.txt` in the data folder: a key a line, newest first, readable by its owner only."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "keys.txt"
        self._seen = 0

    def read(self) -> list[str]:
        """The keys. The first one is generated where there is no file."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._partial([Fernet.generate_key().decode()])
            try:
                os.link(partial, self.path)  # fails where another process was first, and its keys are the ones to use
            except FileExistsError:
                pass
            finally:
                partial.unlink()
        self._seen = self.path.stat().st_mtime_ns
        return self.path.read_text().split()

    def has_changed(self) -> bool:
        """Whether it isn't what `read` has seen. False where it can't be looked at."""
        try:
            return self.path.stat().st_mtime_ns != self._seen
        except OSError:
            return False

    def write(self, keys: list[str]) -> None:
        """Put these in place of the others, at once and on the disk."""
        self._partial(keys).replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _partial(self, keys: list[str]) -> Path:
        partial = self.path.with_suffix(f".{os.getpid()}")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with partial.open("w") as opened:
            opened.write("\n".join(keys) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        return partial


def open_encryption(configured: str, data_dir: Path) -> Encryption:
    """With the keys of `SAPA_KEYS` (comma-separated), or those of the data folder, where the first is generated."""
    if configured.strip():
        return Encryption([key.strip() for key in configured.split(",") if key.strip()])
    source = KeyFile(data_dir)
    return Encryption(source.read(), source)
