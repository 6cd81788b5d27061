"""The trained models of a folder, by version: the fingerprint of the files that each was made from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

VERSION = re.compile(r"sapa-([0-9a-f]{12})\.tar\.gz")


@dataclass(frozen=True)
class ModelFile:
    version: str
    path: Path
    trained_at: datetime
    """When it was trained, or found up to date by a later training."""
    megabytes: float


def model_files(folder: Path) -> list[ModelFile]:
    """The newest first."""
    found = []
    for path in folder.glob("sapa-*.tar.gz") if folder.is_dir() else ():
        version = VERSION.fullmatch(path.name)
        if version:
            stat = path.stat()
            found.append(ModelFile(version[1], path, datetime.fromtimestamp(stat.st_mtime, UTC), round(stat.st_size / 1e6, 1)))
    return sorted(found, key=lambda file: file.trained_at, reverse=True)


def model_file(folder: Path, version: str | None) -> ModelFile | None:
    """The one of this version, or the newest for None."""
    return next((file for file in model_files(folder) if version in (None, file.version)), None)
