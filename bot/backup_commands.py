"""`sapa backup` and `sapa restore`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import DBAPIError

from desk.commands import CONSOLE
from services import backup as backups
from services.audit import AuditLog
from services.settings import Settings
from store.database import Database, utc_now
from store.database_copy import is_empty
from store.job_runs import JobRuns


def backup(
    path: Annotated[Path, typer.Argument(help="The new file, for example /backup/sapa-2026-11-25.tar.")],
    with_keys: Annotated[bool, typer.Option("--with-keys", help="Put the keys in: whoever has the file then reads it all.")] = False,
) -> None:
    """Back up database and files of answers into one file with checksums, while the server runs."""
    from services.assembly import settings

    try:
        with _run_noted(settings()):
            made = backups.back_up(settings(), path.absolute(), with_keys=with_keys)
    except backups.BackupRefused as refused:
        typer.echo(f"no backup was made: {refused}", err=True)
        raise typer.Exit(1) from refused
    _note(settings(), "backup.made", path, with_keys=made.with_keys)
    counted = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in made.counts.items())
    typer.echo(f"{path}: {made.backend}, {counted}, {path.stat().st_size / 1e6:.1f} MB")
    for name in made.missing_files:
        typer.echo(f"file {name} of an answer is named in the database and not there", err=True)
    if made.with_keys:
        typer.echo("WARNING: the keys are in it. Whoever has this file reads all personal data; keep it as you keep keys.", err=True)
    else:
        typer.echo("The keys are not in it. Keep keys.txt, or SAPA_KEYS, in another safe place: without them no ticket can be read.")


def restore(
    path: Annotated[Path, typer.Argument(help="A file that `sapa backup` made.", exists=True, dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a database that is there; it is kept under another name.")] = False,
) -> None:
    """Put a backup in place, checked, and bring it up to this version. The server must be stopped."""
    from services.assembly import settings
    from store.database_copy import InUse

    try:
        done = backups.restore(settings(), path.absolute(), force=force)
    except backups.BackupRefused as refused:
        typer.echo(f"nothing was restored: {refused}", err=True)
        raise typer.Exit(1) from refused
    except InUse as used:
        typer.echo("nothing was restored: another process has the database open; stop every `sapa serve` first", err=True)
        raise typer.Exit(1) from used
    _note(settings(), "backup.restored", path, as_of=done.manifest.made_at)
    counted = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in done.manifest.counts.items())
    typer.echo(f"restored as of {done.manifest.made_at}: {counted}")
    for name in done.manifest.missing_files:
        typer.echo(f"file {name} of an answer was not in the backup", err=True)
    for name in done.set_aside:
        typer.echo(f"what was there before is kept as {name}; delete it once all is well")
    typer.echo("Now run `sapa doctor`, then start the server.")


@contextmanager
def _run_noted(settings: Settings) -> Iterator[None]:
    """Note how it goes, for the desk's page of health and the alert on failing jobs; a database that can't take it has its own."""
    started, failure = time.perf_counter(), None
    try:
        yield
    except BaseException as error:
        failure = type(error).__name__
        raise
    finally:
        with closing(Database(settings.database)) as database:
            try:
                if not is_empty(database):  # SQLite would make one
                    JobRuns(database).record(backups.JOB, utc_now(), round((time.perf_counter() - started) * 1000), failure)
            except DBAPIError as error:
                typer.echo(f"this run could not be noted in the database ({type(error).__name__})", err=True)


def _note(settings: Settings, action: str, path: Path, **data: Any) -> None:
    """Into the audit log of the database in place. What can't be noted there, on a full disk for example, was done all the same."""
    with closing(Database(settings.database)) as database:
        try:
            AuditLog(database).record(CONSOLE, action, path.name[:80], **data)
        except DBAPIError as error:
            typer.echo(f"this could not be noted in the audit log ({type(error).__name__})", err=True)
