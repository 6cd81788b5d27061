"""Measures understanding on evaluation/*.csv and writes evaluation/report.md and report.json (`make evaluate`)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot import evaluation
from bot.assistant import Assistant
from bot.logs import configure_logs
from services.assembly import services
from services.knowledge import Knowledge, Verdict

FOLDER = Path(__file__).parent
REJECTIONS = {"out_of_scope", "nlu_fallback"}
RESAMPLES = 1000
BINS = 10
Flags = npt.NDArray[np.bool_]


def interval(right: Flags, measure: Callable[[npt.NDArray[Any]], float] = np.mean) -> tuple[float, float]:
    """95 % bootstrap interval of `measure` over resampled rows."""
    random = np.random.default_rng(1)
    resampled = [measure(right[random.integers(0, len(right), len(right))]) for _ in range(RESAMPLES)]
    return float(np.percentile(resampled, 2.5)), float(np.percentile(resampled, 97.5))


def calibration_error(confidence: npt.NDArray[np.float64], right: Flags) -> float:
    """Expected calibration error over ten bins of equal width: 0 is perfect."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(sum((places == b).mean() * abs(confidence[places == b].mean() - right[places == b].mean()) for b in set(places)))


def macro_f1(truth: list[str], predicted: list[str]) -> float:
    scores = []
    for label in sorted(set(truth)):
        hits = sum(t == p == label for t, p in zip(truth, predicted, strict=True))
        scores.append(2 * hits / max(truth.count(label) + predicted.count(label), 1))
    return float(np.mean(scores))


def intents(assistant: Assistant) -> dict[str, Any]:
    rows = evaluation.read_rows(FOLDER / "intents.csv", ("text", "intent", "register", "author"))
    started = time.perf_counter()
    parsed = [assistant.understand(row["text"])["intent"] for row in rows]
    seconds = time.perf_counter() - started
    truth, predicted = [row["intent"] for row in rows], [intent["name"] for intent in parsed]
    right = np.array([t == p for t, p in zip(truth, predicted, strict=True)])
    confusion = Counter((t, p) for t, p in zip(truth, predicted, strict=True) if t != p)
    in_scope = [p in REJECTIONS for t, p in zip(truth, predicted, strict=True) if t != "out_of_scope"]
    crisis = [p == "crisis" for t, p in zip(truth, predicted, strict=True) if t == "crisis"]

    def share(column: str) -> dict[str, float]:
        values = sorted({row[column] for row in rows})
        return {v: float(np.mean([r for r, row in zip(right, rows, strict=True) if row[column] == v])) for v in values}

    return {
        "n": len(rows),
        "accuracy": float(right.mean()),
        "interval": interval(right),
        "macro_f1": macro_f1(truth, predicted),
        "calibration_error": calibration_error(np.array([float(i["confidence"]) for i in parsed]), right),
        "in_scope_rejected": float(np.mean(in_scope)),
        "crisis_recall": float(np.mean(crisis)),
        "milliseconds_each": 1000 * seconds / len(rows),
        "by_register": share("register"),
        "by_author": share("author"),
        "by_intent": share("intent"),
        "confusion": [[*pair, count] for pair, count in confusion.most_common(15)],
    }


def topics(knowledge: Knowledge) -> dict[str, Any]:
    rows = evaluation.read_rows(FOLDER / "topics.csv", ("text", "topic"))
    findings = [knowledge.find(row["text"]) for row in rows]
    first = np.array([f.best is not None and f.best.topic == row["topic"] for f, row in zip(findings, rows, strict=True)])
    among = [row["topic"] in {hit.entry.topic for hit in f.hits} for f, row in zip(findings, rows, strict=True)]
    answered = np.array([f.verdict is Verdict.ANSWER for f in findings])
    return {
        "n": len(rows),
        "at_1": float(first.mean()),
        "interval": interval(first),
        "at_3": float(np.mean(among)),
        "answered_at_once": float(answered.mean()),
        "right_when_answered": float(first[answered].mean()),
    }


def out_of_scope(assistant: Assistant) -> dict[str, Any]:
    measured = evaluation.measure_out_of_scope(assistant, FOLDER / "out_of_scope.csv")
    alarms = [error["text"] for error in measured["errors"] if error["intent"] == "crisis"]
    return {"n": measured["n"], "recall": measured["recall"], "crisis_false_alarms": len(alarms), "errors": measured["errors"]}


def to_markdown(result: dict[str, Any]) -> str:
    found, topic, outside = result["intents"], result["topics"], result["out_of_scope"]
    lines = [
        "# How well it understands",
        "",
        "Written by `make evaluate`. The writers of these messages saw no training data, nor the other way round.",
        "Its errors were read while data and thresholds were chosen, and all texts are invented: development figures, not a proof.",
        "",
        "| measure | value | 95 % interval | n |",
        "| --- | --- | --- | --- |",
        f"| intents, accuracy | {found['accuracy']:.3f} | {found['interval'][0]:.3f} – {found['interval'][1]:.3f} | {found['n']} |",
        f"| intents, macro F1 | {found['macro_f1']:.3f} | | {found['n']} |",
        f"| confidence, expected calibration error | {found['calibration_error']:.3f} | | {found['n']} |",
        f"| in-scope messages rejected | {found['in_scope_rejected']:.3f} | | |",
        f"| crisis recall | {found['crisis_recall']:.3f} | | |",
        f"| crisis false alarms on out-of-scope messages | {outside['crisis_false_alarms']} | | {outside['n']} |",
        f"| out of scope, not answered | {outside['recall']:.3f} | | {outside['n']} |",
        f"| topic, best entry | {topic['at_1']:.3f} | {topic['interval'][0]:.3f} – {topic['interval'][1]:.3f} | {topic['n']} |",
        f"| topic, among the three best | {topic['at_3']:.3f} | | {topic['n']} |",
        f"| answered at once / right when answered | {topic['answered_at_once']:.3f} / {topic['right_when_answered']:.3f} | | |",
        "",
        "| register | accuracy |",
        "| --- | --- |",
        *(f"| {name} | {value:.3f} |" for name, value in found["by_register"].items()),
        "",
        "| intent | accuracy |",
        "| --- | --- |",
        *(f"| {name} | {value:.3f} |" for name, value in found["by_intent"].items()),
        "",
        "| said | taken for | times |",
        "| --- | --- | --- |",
        *(f"| {truth} | {predicted} | {count} |" for truth, predicted, count in found["confusion"]),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    configure_logs()
    assembled = services()
    assistant = Assistant(assembled.settings.models_dir, assembled.database, assembled.settings.action_seconds)
    result = {"intents": intents(assistant), "topics": topics(assembled.knowledge), "out_of_scope": out_of_scope(assistant)}
    (FOLDER / "report.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (FOLDER / "report.md").write_text(to_markdown(result), encoding="utf-8")
    print(to_markdown(result))


if __name__ == "__main__":
    main()
