"""Measures Sapa Setneg, its model on Rasa's own server and stock Rasa, one after the other: `make bench`, or -m bench.run --help."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from types import FrameType
from typing import Any

from bench.load import Channel, Turns, grow, percentiles, talk
from bench.messages import distinct_messages, sentences
from bench.processes import Server, running
from bench.report import machine, write
from bench.systems import EPOCHS, WARM_UP, WORK, Own, Pipeline, RasaServers, Stock, data_digest

WARMING = 20
STEPS = (1, 2, 4, 8, 16, 32, 64)
"""Senders at once, until the slowest twentieth of the turns waits longer than `PATIENCE_MS`."""
PATIENCE_MS = 300
SO_FAR = WORK / "figures.json"
"""Of each system that a run has measured."""


@dataclass(frozen=True)
class Size:
    """How many turns a run has: with one sender, with many, at each of `STEPS`, in all, and in each of the long conversations."""

    one: int
    many: int
    step: int
    total: int
    long: int = 501
    conversations: int = 3


FULL = Size(one=400, many=960, step=320, total=10_000)
QUICK = Size(one=100, many=320, step=160, total=2_500, conversations=1)


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    WORK.mkdir(parents=True, exist_ok=True)
    own = Own()
    systems: list[Own | RasaServers] = [own, Pipeline(own), *([] if options.skip_stock else [Stock(options.stock_epochs)])]
    result: dict[str, Any] = {"machine": machine(), "data": data_digest(), "quick": options.quick, "systems": {}}
    if options.resume:
        result = _broken_off(result)
    for system in systems:
        if system.name not in result["systems"]:
            result["systems"][system.name] = _measure(system, options)
            SO_FAR.write_text(json.dumps(result), encoding="utf-8")
    options.report.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write(result)


def _broken_off(result: dict[str, Any]) -> dict[str, Any]:
    """The figures of the last run, where it was of the same data, on a machine of the same kind and as long; else `result`."""
    found: dict[str, Any] = json.loads(SO_FAR.read_text(encoding="utf-8")) if SO_FAR.exists() else result
    same = all(found[key] == result[key] for key in ("data", "quick"))
    return found if same and all(found["machine"][key] == result["machine"][key] for key in ("processor", "cores")) else result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--trained", action="store_true", help="take the models of the last run")
    parser.add_argument("--resume", action="store_true", help="measure only what the last run, if it was broken off, had not measured")
    parser.add_argument("--skip-stock", action="store_true", help="measure without stock Rasa")
    parser.add_argument("--report", type=Path, default=Path(__file__).with_name("report.json"), help="where all figures go")
    parser.add_argument("--nice", type=int, default=0, help="niceness of trainings, on a machine that others use too")
    parser.add_argument(
        "--stock-epochs", type=int, default=EPOCHS, help="a shorter training of the stock model, for a trial; the report says so"
    )
    return parser.parse_args()


def _end(_signal: int, _frame: FrameType | None) -> None:
    """A termination unwinds like an error, so that servers are stopped."""
    sys.exit(143)


def _measure(system: Own | RasaServers, options: argparse.Namespace) -> dict[str, Any]:
    _say(system, "environment")
    system.set_up()
    training = system.trained() if options.trained else None
    if training is None:
        _say(system, "training; TensorFlow may take hours" if isinstance(system, Stock) else "training")
        training = system.train(options.nice, warm=options.trained)
    size = QUICK if options.quick else FULL
    servers, channel = system.servers()
    _say(system, "serving")
    with running(servers) as ready:
        figures = {"training": asdict(training), "ready_seconds": ready, **_serve(system, servers, channel, size)}
    _say(system, "understanding")
    milliseconds = system.understand(distinct_messages(WARMING + size.one)[WARMING - WARM_UP :])
    figures["nlu"] = {"texts": len(milliseconds), "mean": round(statistics.mean(milliseconds), 2), **percentiles(milliseconds)}
    figures["nlu"]["share"] = round(figures["nlu"]["mean"] / figures["one_sender"]["mean"], 3)
    if isinstance(system, Own):
        figures["encoding_anew"] = system.encode_anew()
    return figures


def _serve(system: Own | RasaServers, servers: list[Server], channel: Channel, size: Size) -> dict[str, Any]:
    """The same messages in the same order for each system. None is sent twice but for the rows of repeated messages."""
    texts, again = iter(distinct_messages(size.total)), cycle(sentences())
    figures: dict[str, Any] = {"memory_ready_mb": _memory(servers)}
    disk = system.disk_bytes()
    asyncio.run(talk(channel, list(islice(texts, WARMING)), 2))
    for load, senders, turns in (("one_sender", 1, size.one), ("many_senders", 16, size.many), ("crowd", 64, size.many)):
        figures[load] = _load(servers, channel, list(islice(texts, turns)), senders)
    asyncio.run(talk(channel, sentences(), 2))
    for load, senders, turns in (("one_sender_again", 1, size.one), ("many_senders_again", 16, size.many)):
        figures[load] = _load(servers, channel, list(islice(again, turns)), senders)
    figures["steps"] = list(_steps(servers, channel, texts, size.step))
    figures["sustained"] = max((step["turns_per_second"] for step in figures["steps"] if step["p95"] < PATIENCE_MS), default=None)
    asyncio.run(talk(channel, list(texts), 16))
    figures["turns"] = size.total + len(sentences()) + size.one + size.many
    figures["memory_after_mb"] = _memory(servers)
    figures["disk_bytes_a_turn"] = round((system.disk_bytes() - disk) / figures["turns"])
    figures["long"] = asyncio.run(grow(channel, sentences()[0], size.long, size.conversations))
    return figures


def _steps(servers: list[Server], channel: Channel, texts: Iterator[str], turns: int) -> Iterator[dict[str, Any]]:
    for senders in STEPS:
        step = _load(servers, channel, list(islice(texts, turns)), senders)
        yield step
        if step["p95"] >= PATIENCE_MS:
            return


def _load(servers: list[Server], channel: Channel, texts: list[str], senders: int) -> dict[str, Any]:
    load, before = os.getloadavg()[0], sum(server.cpu_seconds for server in servers)
    turns: Turns = asyncio.run(talk(channel, texts, senders))
    cpu = sum(server.cpu_seconds for server in servers) - before
    return {
        "senders": senders,
        **turns.figures(),
        "cpu_ms_a_turn": round(cpu * 1000 / len(texts), 1),
        "load_average_before": round(load, 2),
    }


def _memory(servers: list[Server]) -> float:
    return round(sum(server.memory_mb for server in servers), 1)


def _say(system: Own | RasaServers, what: str) -> None:
    print(f"{system.name}: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
