"""Changes the keys under which personal data lies: a new one first, all values under it, then the old ones away."""

from __future__ import annotations

from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy import select

from services.audit import AuditLog
from store.database import Database
from store.encryption import ONLY_FINGERPRINTS, Encryption, KeyFile
from store.sealed_values import Rotated, opens, under_newest_key, without_unreadable
from store.staff_models import StaffMember


class KeysStillNeeded(Exception):
    """`values` values lie under an older key, or under none that is there."""

    def __init__(self, values: int) -> None:
        super().__init__(values)
        self.values = values


class KeyRotation:
    """`configured` is `SAPA_KEYS`: keys that stand there can't be changed from here, only used."""

    def __init__(self, database: Database, audit: AuditLog, data_dir: Path, configured: str) -> None:
        self._database = database
        self._audit = audit
        self._files = data_dir / "files"
        self._source = None if configured.strip() else KeyFile(data_dir)
        self._configured = [key.strip() for key in configured.split(",") if key.strip()]

    def rotate(self, actor: str) -> Rotated:
        """Put every value under the newest key: a new one, unless an earlier change was not finished."""
        keys = self._keys()
        unfinished = len(keys) > 1 and bool(self._under(keys, change=False).changed)
        if self._source and not unfinished:
            keys = [Fernet.generate_key().decode(), *keys]
            self._source.write(keys)
        done = self._under(keys, change=True)
        self._audit.record(actor, "keys.rotated", "keys", changed=done.changed, unreadable=done.unreadable)
        return done

    def drop(self, actor: str) -> list[str]:
        """The keys that remain, newest first: the newest, and the oldest for fingerprints only. Raises `KeysStillNeeded`."""
        keys = self._keys()
        found = self._under(keys, change=False)
        if found.changed or found.unreadable:
            raise KeysStillNeeded(found.changed + found.unreadable)
        oldest = keys[-1].removeprefix(ONLY_FINGERPRINTS)
        remaining = [keys[0]] if oldest == keys[0] else [keys[0], ONLY_FINGERPRINTS + oldest]
        if self._source and remaining != keys:
            self._source.write(remaining)
            self._audit.record(actor, "keys.dropped", "keys", dropped=len(keys) - len(remaining))
        return remaining

    def count(self) -> Rotated:
        """How many values there are, and how many of them no key opens."""
        return self._under(self._keys(), change=False)

    def give_up(self, actor: str) -> int:
        """Take out what none of the keys opens, where they are lost for good; how many values. Second factors end with it."""
        encryption = Encryption(self._keys())
        for member in self._with_second_factor():
            if not opens(member.totp or b"", encryption):
                self._audit.record(actor, "staff.totp_stopped", member.login, keys="lost")
        lost = without_unreadable(self._database, self._files, encryption)
        self._audit.record(actor, "keys.given_up", "keys", lost=lost)
        return lost

    def _with_second_factor(self) -> list[StaffMember]:
        with self._database.session() as session:
            return list(session.scalars(select(StaffMember).where(StaffMember.totp.is_not(None))))

    @property
    def is_configured(self) -> bool:
        """Whether the keys stand in `SAPA_KEYS`, where only the operator can change them."""
        return self._source is None

    def _keys(self) -> list[str]:
        return self._source.read() if self._source else self._configured

    def _under(self, keys: list[str], *, change: bool) -> Rotated:
        return under_newest_key(self._database, self._files, Encryption(keys), keys[0], change=change)
