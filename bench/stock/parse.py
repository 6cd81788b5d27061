"""Times `Agent.parse_message` inside the stock environment: parse.py MODEL TEXTS.json RESULT.json (a list of milliseconds)."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from rasa.core.agent import Agent
from rasa.utils.common import configure_logging_and_warnings
from rasa.utils.log_utils import configure_structlog


async def measure(model: str, texts: list[str]) -> list[float]:
    agent = Agent.load(model)
    milliseconds = []
    for text in texts:
        started = time.perf_counter()
        await agent.parse_message(text)
        milliseconds.append((time.perf_counter() - started) * 1000)
    return milliseconds


if __name__ == "__main__":
    configure_logging_and_warnings()
    configure_structlog()
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    Path(sys.argv[3]).write_text(json.dumps(asyncio.run(measure(sys.argv[1], texts))))
