"""`sapa teach`: what staff taught, as a change to the project's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.settings import PROJECT

teach_app = typer.Typer(no_args_is_help=True, help="What staff taught and wrote at the desk, as a change to the project's files.")


@teach_app.command("export")
def export(
    batch: Annotated[int | None, typer.Option(help="Only this batch; all approved ones unless given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the patch to this file instead of printing it.", dir_okay=False)] = None,
    project: Annotated[
        Path,
        typer.Option(help="The tree that the patch is for.", exists=True, file_okay=False, show_default="this program's own tree"),
    ] = PROJECT,
) -> None:
    """Print a patch for data/nlu/ and evaluation/citizens/ from the batches that two people have approved. Changes nothing."""
    from desk.commands import CONSOLE
    from desk.pages import Pages
    from services.assembly import services
    from services.teaching_patch import teaching_patch

    reasons = Pages().texts["en"]["batches"]["why"]
    change = teaching_patch(services().teaching_batches.approved(batch), project)
    for one in change.left_out:
        typer.echo(f"left out: {one.text!r}: {reasons[one.why]}" + (f" ({one.like})" if one.like else ""), err=True)
    typer.echo(
        f"{change.training} examples to learn from, {change.evaluation} to measure with, {len(change.left_out)} left out", err=True
    )
    services().audit.record(CONSOLE, "teach.exported", str(batch or "semua"), training=change.training, evaluation=change.evaluation)
    if out:
        out.write_text(change.patch, encoding="utf-8", newline="")
        typer.echo(f"next: git apply {out}, sapa train, make evaluate", err=True)
    else:
        typer.echo(change.patch, nl=False)


@teach_app.command("export-knowledge")
def export_knowledge() -> None:
    """Print a patch for knowledge/ from what was published at the desk and the files don't say yet. Changes nothing."""
    from desk.commands import CONSOLE
    from services.assembly import services

    services().audit.record(CONSOLE, "knowledge.exported", "pengetahuan")
    typer.echo(services().knowledge_catalogue.patch(), nl=False)
