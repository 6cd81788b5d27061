"""Backups: everything that can't be made again, in one file with checksums, taken while the server runs; and the way back.

A backup is a tar file: the database's copy, the encrypted files of answers, the operator's own service hours, the keys where
that was asked for, and last `manifest.json` with the SHA-256 of each. Models and caches are not in it: `sapa train` makes them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, func, inspect, select, table, text
from sqlalchemy.exc import DatabaseError

from services.service_hours import NAME as SERVICE_HOURS
from services.settings import Settings
from store.database import Database
from store.database_copy import ASIDE, CopyFailed, faults, is_empty, put_back, snapshot, sync
from store.encryption import Encryption, KeyFile

FORMAT = 1
DATABASE, FILES, KEYS, MANIFEST = "database", "files", "keys.txt", "manifest.json"
COUNTED = ("conversations", "messages", "tickets", "ticket_events", "ticket_files", "telegram_updates", "staff", "audit_entries")
JOB = "backup"
"""The name under which the last run of `sapa backup` stands among those of the scheduled jobs."""
CHECK = "sapa"
"""What is sealed in the manifest, to know the keys that open the backup."""


class BackupRefused(Exception):
    """The message says why, and what to do next."""


@dataclass
class Manifest:
    format: int
    made_at: str
    """RFC 3339, UTC; what was acknowledged before it is in the backup."""
    version: str
    """Of the program."""
    backend: str
    """`sqlite` or `postgresql`: a copy goes back into a database of its own kind."""
    with_keys: bool
    sealed_check: str
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of the tables that matter most."""
    missing_files: list[str] = field(default_factory=list)
    """Files of answers that the database names and the folder doesn't have."""
    sha256: dict[str, str] = field(default_factory=dict)
    """By name in the archive."""


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    set_aside: list[str]
    """What was there before, by the names under which it is kept."""


def back_up(settings: Settings, target: Path, *, with_keys: bool) -> Manifest:
    """Write a backup to the new file `target`; it is whole and on the disk, or not there. Raises `BackupRefused`."""
    if target.exists():
        raise BackupRefused(f"{target} is there already; give the backup another name")
    if not target.parent.is_dir():
        raise BackupRefused(f"there is no folder {target.parent}; make it first, readable by the operator alone")
    encryption, keys = _keys_of(settings)
    database = Database(settings.database)
    with _told_clearly(), tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        made, copy = Path(folder) / "backup.tar", Path(folder) / DATABASE
        files = settings.data_dir / FILES
        manifest = Manifest(
            format=FORMAT,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            version=version("sapa-setneg"),
            backend=database.url.get_backend_name(),
            with_keys=with_keys,
            sealed_check=encryption.seal(CHECK).decode(),
        )
        made.touch(mode=0o600)
        with tarfile.open(made, "w") as archive:
            add = _adding_to(archive, manifest)
            early = set(_names_in(files))  # before the copy, since a file that is in it may be taken away after it
            for name in sorted(early):
                add(files / name, f"{FILES}/{name}")
            with snapshot(database, copy) as connection:
                manifest.counts = _counts(connection)
                named = _files_named(connection)
            add(copy, DATABASE)
            copy.unlink()
            for name in sorted(named - early):
                add(files / name, f"{FILES}/{name}")
            manifest.missing_files = sorted(named - {name.removeprefix(f"{FILES}/") for name in manifest.sha256})
            add(settings.data_dir / SERVICE_HOURS, SERVICE_HOURS)
            if with_keys:
                (Path(folder) / KEYS).touch(mode=0o600)
                (Path(folder) / KEYS).write_text("\n".join(keys()) + "\n")
                add(Path(folder) / KEYS, KEYS)
            (Path(folder) / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
            archive.add(Path(folder) / MANIFEST, MANIFEST)
        sync(made)
        made.rename(target)
        sync(target.parent)
    return manifest


def restore(settings: Settings, source: Path, *, force: bool) -> Restored:
    """Put a backup in the place of database and files, checked before and after. Raises `BackupRefused`; nothing is changed then.

    A database that is there is only replaced with `force`, and kept under another name.
    """
    database, data = Database(settings.database), settings.data_dir
    with _told_clearly():
        if not is_empty(database) and not force:
            raise BackupRefused("there is a database already; --force puts it aside and the backup in its place")
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data, prefix=".restore.") as folder:
            unpacked = Path(folder)
            manifest = _unpack(source, unpacked)
            if manifest.backend != database.url.get_backend_name():
                kind = database.url.get_backend_name()
                raise BackupRefused(f"the backup is of {manifest.backend} and DATABASE_URL names {kind}; restore it into its own kind")
            encryption, brings_keys = _fitting_keys(settings, manifest, unpacked)
            if database.is_sqlite:  # all that can fail is done before anything is changed
                _check_and_migrate(Database(f"sqlite:///{unpacked / DATABASE}"), manifest, encryption)
            stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
            with put_back(database, unpacked / DATABASE, stamp) as database_aside:
                if not database.is_sqlite:
                    _check_and_migrate(database, manifest, encryption)
                aside = [database_aside, *(_move(unpacked / name, data / name, stamp) for name in (FILES, SERVICE_HOURS))]
                if brings_keys:
                    aside.append(_move(unpacked / KEYS, data / KEYS, stamp))
                sync(data)
    return Restored(manifest, [name for name in aside if name])


def read_manifest(source: Path) -> Manifest:
    """What a backup says of itself. Raises `BackupRefused`."""
    try:
        with tarfile.open(source) as archive:
            content = archive.extractfile(MANIFEST)
            said = json.loads(content.read()) if content else {}
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise BackupRefused(f"{source} can't be read as a backup ({type(error).__name__}); take another one") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise BackupRefused(f"{source} was made by a newer program; restore it with that version")
    return Manifest(**said)


@contextmanager
def _told_clearly() -> Iterator[None]:
    try:
        yield
    except CopyFailed as error:
        raise BackupRefused(str(error)) from error
    except OSError as error:
        raise BackupRefused(f"{error.strerror} ({error.filename}); make room, or give this user the folder, and try again") from error


def _keys_of(settings: Settings) -> tuple[Encryption, Callable[[], list[str]]]:
    """The keys in force; asked for again when they are written, for they may be changed meanwhile, and only more are added."""
    if settings.keys.strip():
        given = [key.strip() for key in settings.keys.split(",") if key.strip()]
        return Encryption(given), lambda: given
    source = KeyFile(settings.data_dir)
    if not source.path.exists():
        raise BackupRefused(f"there are no keys: neither SAPA_KEYS nor {source.path}; is SAPA_DATA_DIR that of the server?")
    return Encryption(source.read()), source.read


def _fitting_keys(settings: Settings, manifest: Manifest, unpacked: Path) -> tuple[Encryption, bool]:
    """Keys that open the backup: those in force, or else those that it brings, which is then true."""
    mine = [key.strip() for key in settings.keys.split(",") if key.strip()]
    own_file = KeyFile(settings.data_dir)
    if not mine and own_file.path.exists():
        mine = own_file.read()
    brought = (unpacked / KEYS).read_text().split() if manifest.with_keys else []
    for keys, is_brought in ((mine, False), (brought, True)):
        if not keys or (is_brought and settings.keys.strip()):
            continue
        encryption = Encryption(keys)
        try:
            if encryption.unseal(manifest.sealed_check.encode()) == CHECK:
                return encryption, is_brought
        except InvalidToken:
            continue
    raise BackupRefused(
        "no key at hand opens this backup; put the keys that the server had then into SAPA_KEYS, "
        f"or its keys.txt into {settings.data_dir}"
    )


def _adding_to(archive: tarfile.TarFile, manifest: Manifest) -> Callable[[Path, str], None]:
    def add(path: Path, name: str) -> None:
        """Nothing where there is no such file."""
        try:
            opened = path.open("rb")
        except FileNotFoundError:
            return
        with opened:
            manifest.sha256[name] = hashlib.file_digest(opened, "sha256").hexdigest()
            opened.seek(0)
            member = archive.gettarinfo(arcname=name, fileobj=opened)
            member.mode, member.uid, member.gid, member.uname, member.gname = 0o600, 0, 0, "", ""
            archive.addfile(member, opened)

    return add


def _unpack(source: Path, folder: Path) -> Manifest:
    """All that the manifest names and nothing else, with the right checksums. Raises `BackupRefused`."""
    manifest = read_manifest(source)
    try:
        with tarfile.open(source) as archive:
            for name, expected in manifest.sha256.items():
                path = folder / _safe(name)
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                content = archive.extractfile(name)
                if content is None:
                    raise KeyError(name)
                path.touch(mode=0o600)
                with path.open("wb") as written:
                    shutil.copyfileobj(content, written)
                with path.open("rb") as written:
                    found = hashlib.file_digest(written, "sha256").hexdigest()
                if found != expected:
                    raise BackupRefused(f"{name} in {source} is damaged: its checksum is another; take another backup")
                sync(path)
    except (tarfile.TarError, KeyError) as error:
        raise BackupRefused(f"{source} is not whole ({error}); take another backup") from error
    if DATABASE not in manifest.sha256:
        raise BackupRefused(f"{source} holds no database; take another backup")
    return manifest


def _safe(name: str) -> str:
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or parts[0] not in (DATABASE, FILES, KEYS, SERVICE_HOURS):
        raise BackupRefused(f"the backup names {name!r}, which no backup has; don't use it")
    return name


def _check_and_migrate(database: Database, manifest: Manifest, encryption: Encryption) -> None:
    try:
        found = faults(database)
        with database.connection() as connection:
            counts = _counts(connection)
        found += [f"{counts.get(name)} {name}, not {count}" for name, count in manifest.counts.items() if counts.get(name) != count]
    except DatabaseError as error:
        found = [type(error).__name__]
    if found:
        raise BackupRefused(f"the copy in the backup is damaged ({'; '.join(found[:3])}); take another backup")
    if database.is_newer():
        raise BackupRefused(f"the backup is of a newer release; restore it with version {manifest.version}")
    try:
        database.migrate(encryption)
    except Exception as error:
        raise BackupRefused(
            f"the copy could not be brought up to this version ({type(error).__name__}); restore it with version {manifest.version}"
        ) from error
    finally:
        database.close()


def _counts(connection: Connection) -> dict[str, int]:
    there = set(inspect(connection).get_table_names())
    return {name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in COUNTED if name in there}


def _files_named(connection: Connection) -> set[str]:
    if "ticket_files" not in inspect(connection).get_table_names():
        return set()
    names: Any = connection.execute(text("SELECT stored_as FROM ticket_files")).scalars()
    return {f"{name[:2]}/{name}" for name in names}


def _names_in(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _move(source: Path, target: Path, stamp: str) -> str:
    """Put `source` in the place of `target`, which is kept under the name that is given back; nothing where the backup has none."""
    if not source.exists():
        return ""
    aside = ""
    if target.exists():
        aside = f"{target.name}.{ASIDE}{stamp}"
        target.rename(target.with_name(aside))
    source.rename(target)
    return aside
