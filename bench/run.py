"""Measures stock Rasa and Sapa Setneg one after the other on this machine: `make bench`, or -m bench.run --help."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path
from types import FrameType
from typing import Any

from bench.load import Channel, Turns, percentiles, talk
from bench.messages import distinct_messages, sentences
from bench.processes import Server, running
from bench.report import machine, to_markdown
from bench.systems import EPOCHS, WARM_UP, WORK, Own, Stock, data_digest

MANY = 16
WARMING = 20


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    WORK.mkdir(parents=True, exist_ok=True)
    systems: list[Stock | Own] = [Own()] if options.skip_stock else [Own(), Stock(options.stock_epochs)]
    result: dict[str, Any] = {"machine": machine(), "data": data_digest(), "quick": options.quick, "systems": {}}
    for system in systems:
        result["systems"][system.name] = _measure(system, options)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(to_markdown(result), encoding="utf-8")
    options.report.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(to_markdown(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns, and the models of the last run")
    parser.add_argument("--skip-stock", action="store_true", help="measure Sapa Setneg alone")
    parser.add_argument("--report", type=Path, default=Path(__file__).with_name("report.md"), help="and a .json beside it")
    parser.add_argument("--nice", type=int, default=0, help="niceness of trainings, on a machine that others use too")
    parser.add_argument(
        "--stock-epochs", type=int, default=EPOCHS, help="a shorter training of the stock model, for a trial; the report says so"
    )
    return parser.parse_args()


def _end(_signal: int, _frame: FrameType | None) -> None:
    """A termination unwinds like an error, so that servers are stopped."""
    sys.exit(143)


def _measure(system: Stock | Own, options: argparse.Namespace) -> dict[str, Any]:
    _say(system, "environment")
    system.set_up()
    training = system.trained() if options.quick else None
    if training is None:
        _say(system, "training; TensorFlow may take hours" if isinstance(system, Stock) else "training")
        training = system.train(options.nice, warm=options.quick)
    one, many = (100, 320) if options.quick else (400, 960)
    servers, channel = system.servers()
    _say(system, "serving")
    with running(servers) as ready:
        figures = {"training": asdict(training), "ready_seconds": ready, **_serve(servers, channel, one, many)}
    _say(system, "understanding")
    texts = [*distinct_messages(WARM_UP), *sentences()]
    figures["nlu"] = _few(system.understand(texts))
    if isinstance(system, Stock):
        figures["nlu_over_http"] = _few(system.parse_over_http(texts))
    else:
        figures["encoding_anew"] = system.encode_anew()
    return figures


def _serve(servers: list[Server], channel: Channel, one: int, many: int) -> dict[str, Any]:
    """The same messages in the same order for each system: first none of them twice, then a few again and again."""
    texts = distinct_messages(WARMING + one + many)
    again = list(islice(cycle(sentences()), one + many))  # all said once before they are measured
    figures: dict[str, Any] = {"memory_ready_mb": _memory(servers)}
    asyncio.run(talk(channel, texts[:WARMING], 2))
    figures["one_sender"] = _load(servers, channel, texts[WARMING : WARMING + one], 1)
    figures["many_senders"] = _load(servers, channel, texts[WARMING + one :], MANY)
    asyncio.run(talk(channel, sentences(), 2))
    figures["one_sender_again"] = _load(servers, channel, again[:one], 1)
    figures["many_senders_again"] = _load(servers, channel, again[one:], MANY)
    figures["memory_after_mb"] = _memory(servers)
    return figures


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


def _few(milliseconds: list[float]) -> dict[str, float]:
    return {"texts": len(milliseconds), **percentiles(milliseconds)}


def _say(system: Stock | Own, what: str) -> None:
    print(f"{system.name}: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
