"""Trains the model with Rasa, and knows whether the one at hand was made from the files at hand."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection
from pathlib import Path

import structlog

from bot.model_files import model_files
from services.follow_up_search import FILE as FOLLOW_UPS_FILE
from services.settings import PROJECT
from services.training_files import training_examples

log = structlog.get_logger(__name__)
CODE = (
    "bot/nlu/*.py",
    "services/slang.yml",
    "services/spelling*.py",
    "services/encoder.py",
    "services/e5.py",
    "services/quick_products.py",
    "services/terms.py",
)
FOLLOW_UPS = str(FOLLOW_UPS_FILE.relative_to(PROJECT))
SOURCES = ("config.yml", "domain.yml", "data/**/*.yml", FOLLOW_UPS, *CODE)
KEPT_MODELS = 5


class TrainingFailed(Exception):
    """Rasa made no model; what it said stands in its own output above."""


def fingerprint(sources: tuple[str, ...] = SOURCES) -> str:
    """12 hex digits, the same for the same files."""
    digest = hashlib.sha256()
    for pattern in sources:
        for path in sorted(PROJECT.glob(pattern)):
            digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def training_texts() -> list[str]:
    """All example messages of data/nlu, as Rasa reads them."""
    return [text for texts in training_examples(PROJECT / "data" / "nlu").values() for text in texts]


def train(models: Path, *, force: bool = False) -> Path:
    """The model of the files at hand, trained now unless it is there already. Raises `TrainingFailed`."""
    path = models / f"sapa-{fingerprint()}.tar.gz"
    if path.exists() and not force:
        path.touch()  # Rasa serves the newest one
        return path
    log.info("training the model; the first time this takes about five minutes")
    if not sys.stderr.isatty():
        os.environ.setdefault("LOG_LEVEL", "WARNING")  # of Rasa, which else fills a log with progress bars
    from rasa.api import train as rasa_train

    models.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    os.chdir(PROJECT)  # config.yml names our components as modules of the project
    try:
        result = rasa_train(
            domain="domain.yml",
            config="config.yml",
            training_files=["data"],
            output=str(before / models),
            fixed_model_name=path.name.removesuffix(".tar.gz"),
            force_training=force,
        )
    finally:
        os.chdir(before)
    if result.code != 0 or not path.exists():
        raise TrainingFailed(f"no model was made in {models}")
    return path


def delete_old(models: Path, wanted: Collection[str]) -> None:
    """Leave the newest models, and the `wanted` versions however old."""
    for file in model_files(models)[KEPT_MODELS:]:
        if file.version not in wanted:
            file.path.unlink()
