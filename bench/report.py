"""The report of a run: one Markdown table and what a reader must know to trust it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.systems import EPOCHS

LOADS = {
    "one_sender": "1 sender",
    "many_senders": "16 senders",
    "one_sender_again": "1 sender, repeated messages",
    "many_senders_again": "16 senders, repeated messages",
}
ROWS: list[tuple[str, tuple[str, ...]]] = [
    ("training, s", ("training", "seconds")),
    ("training, s of processor time", ("training", "cpu_seconds")),
    ("encoding all sentences anew, s (once, in the first training on a machine)", ("encoding_anew", "seconds")),
    ("start to ready, s", ("ready_seconds",)),
    ("resident memory when ready, MB", ("memory_ready_mb",)),
    ("resident memory after the run, MB", ("memory_after_mb",)),
    *(
        row
        for load, words in LOADS.items()
        for row in [
            (f"a turn at {words}, p50, ms", (load, "p50")),
            ("… p95", (load, "p95")),
            ("… p99", (load, "p99")),
            ("… turns a second", (load, "turns_per_second")),
            ("… processor time of the servers a turn, ms", (load, "cpu_ms_a_turn")),
        ]
    ),
    ("understanding alone, one thread, in process, p50, ms", ("nlu", "p50")),
    ("… p95", ("nlu", "p95")),
    ("understanding alone, one thread, POST /model/parse, p50, ms", ("nlu_over_http", "p50")),
    ("… p95", ("nlu_over_http", "p95")),
]
HOW = """
- Both learn from the same `data/` and `domain.yml` and are sent the same messages in the same order. No message is sent
  twice, so no cache answers, except in the rows of repeated messages: the 64 sentences in turn, as greetings and frequent
  questions come. A sender waits for each reply and starts a new conversation after ten turns.
- Stock: `rasa run` (REST channel, SQLite) and `rasa run actions` with actions that do nothing (`bench/stock/actions`),
  memory and processor time of both together. Sapa Setneg: `sapa serve`, POST /api/chat/messages, SQLite, real search.
- Opening a conversation counts in turns a second and in no turn of Sapa Setneg, where it is a request of its own; stock
  opens it within the first turn.
- The client that measures runs on the same cores. MB are 1,000,000 bytes.
"""


def machine() -> dict[str, Any]:
    """What the figures depend on, without names of hosts or folders."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def to_markdown(result: dict[str, Any]) -> str:
    found = result["machine"]
    stock, own = result["systems"].get("stock"), result["systems"]["sapa"]
    epochs = stock["training"]["epochs"] if stock else None
    lines = [
        "# Stock Rasa 3.6.21 and Sapa Setneg, measured",
        "",
        f"Written by `make bench` at {found['at']}{' (quick)' if result['quick'] else ''}: {found['processor']}, "
        f"{found['cores']} cores, {found['memory_gb']} GB, Python {found['python']}; data {result['data']}.",
        "",
        "| | stock Rasa | Sapa Setneg | stock ÷ ours |",
        "|---|--:|--:|--:|",
    ]
    for label, path in ROWS:
        theirs, ours = _at(stock, path), _at(own, path)
        if theirs is not None or ours is not None:
            trial = f" ({epochs} of {EPOCHS} epochs)" if path[0] == "training" and epochs not in (None, EPOCHS) else ""
            ratio = f"{theirs / ours:.1f}" if theirs and ours and not trial else ""
            lines.append(f"| {label} | {_shown(theirs)}{trial} | {_shown(ours)} | {ratio} |")
    return "\n".join([*lines, "", *_notes(result), HOW.strip(), ""])


def _notes(result: dict[str, Any]) -> list[str]:
    notes = []
    for name, figures in result["systems"].items():
        training, loads = figures["training"], [figures[load] for load in LOADS]
        if training["epochs"] not in (None, EPOCHS):
            notes.append(
                f"- **A trial:** the {name} model learnt for {training['epochs']} of {EPOCHS} epochs. Its size is the same, "
                "but it predicts worse, so its turns may take other paths and some get no answer."
            )
        if training["warm"]:
            notes.append(f"- **The training of {name} found sentences encoded in an earlier run**, which makes it shorter.")
        if training["data"] != result["data"]:
            notes.append(f"- **The {name} model is of {training['trained_at']} and of other data ({training['data']}).**")
        turns, failed, before = (", ".join(str(load[key]) for load in loads) for key in ("turns", "failed", "load_average_before"))
        notes.append(f"- {name}: {turns} turns, {failed} without an answer; load average of the machine before them {before}.")
    return notes


def _at(figures: dict[str, Any] | None, path: tuple[str, ...]) -> float | None:
    value: Any = figures
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if value is not None else None


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
