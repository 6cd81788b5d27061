"""The files that the model learns from, read as texts: `data/nlu/*.yml`."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import yaml

INTENT_LINE = re.compile(r"^  - intent: (\w+)$", re.MULTILINE)


def training_examples(folder: Path) -> dict[str, list[str]]:
    """Intent to its examples, over all files of the folder."""
    examples: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            examples[block["intent"]] += [line.removeprefix("- ").strip() for line in block["examples"].splitlines() if line]
    return examples


def files_of_intents(folder: Path) -> dict[str, Path]:
    """Intent to the file that its examples stand in; empty where the folder is not there."""
    files = sorted(folder.glob("*.yml"))
    return {intent: path for path in files for intent in INTENT_LINE.findall(path.read_text(encoding="utf-8"))}
