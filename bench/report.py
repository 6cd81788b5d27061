"""The report of a run: a table, goals and a picture in docs/performance.md, and what a reader must know to trust them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.systems import EPOCHS, PROJECT

PAGE = PROJECT / "docs" / "performance.md"
PICTURE = PAGE.with_suffix(".png")
BEGINNING, END = "<!-- written by make bench -->", "<!-- end of what make bench writes -->"
NAMES = {"stock": "stock Rasa", "pipeline": "our model on Rasa's server", "sapa": "Sapa Setneg"}
LOADS = {
    "one_sender": "1 sender",
    "many_senders": "16 senders",
    "crowd": "64 senders",
    "one_sender_again": "1 sender, repeated messages",
    "many_senders_again": "16 senders, repeated messages",
}
MORE_IS_BETTER = "turns_per_second", "sustained"
ROWS: list[tuple[str, tuple[str, ...]]] = [
    ("training, s", ("training", "seconds")),
    ("training, s of processor time", ("training", "cpu_seconds")),
    ("encoding all sentences anew, s (once, in the first training on a machine)", ("encoding_anew", "seconds")),
    ("start to ready, s", ("ready_seconds",)),
    ("resident memory when ready, MB", ("memory_ready_mb",)),
    ("resident memory after the run, MB", ("memory_after_mb",)),
    ("disk, bytes a turn", ("disk_bytes_a_turn",)),
    ("most turns a second with a p95 under 300 ms", ("sustained",)),
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
    ("a turn at the beginning of a conversation, ms", ("long", "1")),
    ("… turn 100", ("long", "100")),
    ("… turn 500", ("long", "500")),
    ("understanding alone, one thread, in process, mean, ms", ("nlu", "mean")),
    ("… p95", ("nlu", "p95")),
    ("… part of a turn at 1 sender", ("nlu", "share")),
]
HOW = """
- All learn from the same `data/` and `domain.yml` and are sent the same messages in the same order. No message is sent
  twice, so no cache answers, except in the rows of repeated messages: the 64 sentences in turn, as greetings and frequent
  questions come. A sender waits for each reply and starts a new conversation after ten turns.
- Stock: `rasa run` (REST channel, SQLite) and `rasa run actions` with actions that do nothing (`bench/stock/actions`),
  memory and processor time of both together. Our model on Rasa's server: the same two programs, without TensorFlow. Sapa
  Setneg: `sapa serve` with the processes that it forks by default, POST /api/chat/messages, SQLite, real search, and all that is kept
  for the desk.
- Turns a second: 1, 2, 4 … 64 senders, until a p95 is 300 ms or more. Turns of a long conversation: the median of the five around it.
- Opening a conversation counts in turns a second and in no turn of Sapa Setneg, where it is a request of its own; stock
  opens it within the first turn.
- The client that measures runs on the same cores. MB are 1,000,000 bytes; memory that several processes of a
  system share counts once (PSS).
"""


@dataclass(frozen=True)
class Goal:
    """What the project set itself, as a figure of a run: `ours` is to be at most (or at least) `bound`."""

    words: str
    ours: Callable[[dict[str, Any]], float | None]
    bound: float
    at_least: bool = False

    def line(self, systems: dict[str, Any]) -> str | None:
        """None where a system that it compares with was not measured."""
        found = self.ours(systems)
        if found is None:
            return None
        reached = found >= self.bound if self.at_least else found <= self.bound
        return f"| {self.words} | {found:.2f} | {'reached' if reached else '**missed**'} |"


def _of_stock(*path: str) -> Callable[[dict[str, Any]], float | None]:
    def share(systems: dict[str, Any]) -> float | None:
        theirs, ours = _at(systems.get("stock"), path), _at(systems["sapa"], path)
        return ours / theirs if theirs and ours else None

    return share


def _own(*path: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda systems: _at(systems["sapa"], path)


def _growth(systems: dict[str, Any]) -> float:
    long = systems["sapa"]["long"]
    return float(long["500"] / long["1"])


GOALS = [
    Goal("turns a second with a p95 under 300 ms, times stock: at least 6", _of_stock("sustained"), 6, at_least=True),
    Goal("p95 at 16 senders, of stock's: at most 0.2", _of_stock("many_senders", "p95"), 0.2),
    Goal("memory after the run, of stock's: at most 0.5", _of_stock("memory_after_mb"), 0.5),
    Goal("training, of stock's: at most 0.33", _of_stock("training", "seconds"), 1 / 3),
    Goal("start to ready: at most 15 s", _own("ready_seconds"), 15),
    Goal("turn 500 of a conversation, times turn 1: at most 1.2", _growth, 1.2),
    Goal("understanding, part of a turn: at most 0.6", _own("nlu", "share"), 0.6),
]


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


def write(result: dict[str, Any]) -> None:
    """Puts table and goals between the marks of the page, and the picture beside it."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(BEGINNING)[0], page.partition(END)[2]
    PAGE.write_text(f"{before}{BEGINNING}\n\n{to_markdown(result)}\n{END}{after}", encoding="utf-8")
    draw(result["systems"])


def to_markdown(result: dict[str, Any]) -> str:
    found, systems = result["machine"], result["systems"]
    names = [name for name in NAMES if name in systems]
    stock, own = systems.get("stock"), systems["sapa"]
    lines = [
        f"Measured at {found['at']}{' (quick)' if result['quick'] else ''}: {found['processor']}, "
        f"{found['cores']} cores, {found['memory_gb']} GB, Python {found['python']}; data {result['data']}.",
        "",
        "| goal | measured | |",
        "|---|--:|---|",
        *(line for goal in GOALS if (line := goal.line(systems))),
        "",
        f"![Waits and turns a second of the {len(names)} systems]({PICTURE.name})",
        "",
        "| | " + " | ".join(NAMES[name] for name in names) + " | better than stock, times |",
        "|---|" + "--:|" * (len(names) + 1),
    ]
    for label, path in ROWS:
        cells = [_shown(_at(systems[name], path), _epochs(systems[name], path)) for name in names]
        if any(cells):
            lines.append(f"| {label} | {' | '.join(cells)} | {_times(_at(stock, path), _at(own, path), path)} |")
    return "\n".join([*lines, "", *_notes(result), HOW.strip(), ""])


def _times(theirs: float | None, ours: float | None, path: tuple[str, ...]) -> str:
    if not theirs or not ours or path[-1] == "share":
        return ""
    return f"{ours / theirs if path[-1] in MORE_IS_BETTER else theirs / ours:.1f}"


def _notes(result: dict[str, Any]) -> list[str]:
    notes = []
    for name, figures in result["systems"].items():
        training, loads = figures["training"], [figures[load] for load in LOADS]
        if training["epochs"] not in (None, EPOCHS):
            notes.append(
                f"- **The {NAMES[name]} model learnt for {training['epochs']} of {EPOCHS} epochs.** Its size is the same, "
                "but it predicts worse, so its turns may take other paths and some get no answer; a whole training takes longer."
            )
        if training["nice"]:
            notes.append(f"- The {NAMES[name]} model was trained beside other work: its seconds are high, its processor time is not.")
        if training["warm"] and name == "sapa":
            notes.append("- **Our training found sentences encoded in an earlier run**, which makes it shorter.")
        if training["data"] != result["data"]:
            notes.append(f"- **The {NAMES[name]} model is of {training['trained_at']} and of other data ({training['data']}).**")
        turns, failed, before = (", ".join(str(load[key]) for load in loads) for key in ("turns", "failed", "load_average_before"))
        notes.append(
            f"- {NAMES[name]}: {figures['turns']:,} turns, of which the rows above have {turns}; {failed} without an answer; "
            f"load average of the machine before them {before}."
        )
    return notes


def draw(systems: dict[str, Any]) -> None:
    """Three pictures in one: turns a second by senders, p95 by senders, a turn by the length of its conversation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"font.size": 8, "savefig.dpi": 150}):
        figure, (rate, wait, long) = pyplot.subplots(1, 3, figsize=(10, 3), layout="constrained")
        for name, (colour, marker) in zip(NAMES, (("#D55E00", "s"), ("#009E73", "^"), ("#0072B2", "o")), strict=True):
            if name in systems:
                looks = {"color": colour, "marker": marker, "label": NAMES[name]}
                steps, turns = systems[name]["steps"], systems[name]["long"]
                rate.plot([step["senders"] for step in steps], [step["turns_per_second"] for step in steps], **looks)
                loads = [systems[name][load] for load in ("one_sender", "many_senders", "crowd")]
                wait.plot([load["senders"] for load in loads], [load["p95"] for load in loads], **looks)
                long.plot([int(turn) for turn in turns], list(turns.values()), **looks)
        for axis, title, words in (
            (rate, "turns a second, until p95 is 300 ms", "senders at once"),
            (wait, "p95 of a turn, ms", "senders at once"),
            (long, "a turn, ms", "turn of a conversation"),
        ):
            axis.set_title(title)
            axis.set_xlabel(words)
            axis.grid(alpha=0.3)
        for axis in (rate, wait):
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter("{x:.0f}")
        wait.set_yscale("log")
        for axis in (rate, long):
            axis.set_ylim(bottom=0)
        rate.legend()
        figure.savefig(PICTURE)
        pyplot.close(figure)


def _epochs(figures: dict[str, Any], path: tuple[str, ...]) -> str:
    epochs = figures["training"]["epochs"]
    return f" ({epochs} of {EPOCHS} epochs)" if path[0] == "training" and epochs not in (None, EPOCHS) else ""


def _at(figures: dict[str, Any] | None, path: tuple[str, ...]) -> float | None:
    value: Any = figures
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if value is not None else None


def _shown(value: float | None, addition: str) -> str:
    return "" if value is None else (f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}") + addition
