"""Times `Assistant.understand`, as `sapa evaluate` calls it: -m bench.understand TEXTS.json RESULT.json (milliseconds)."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from bot.cli import load_assistant
from bot.logs import configure_logs


def measure(texts: list[str]) -> list[float]:
    assistant = load_assistant()
    milliseconds = []
    for text in texts:
        started = time.perf_counter()
        assistant.understand(text)
        milliseconds.append((time.perf_counter() - started) * 1000)
    return milliseconds


if __name__ == "__main__":
    configure_logs()
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(json.dumps(measure(texts)))
