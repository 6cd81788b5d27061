"""Measures understanding on evaluation/*.csv and evaluation/held_out/*.csv, and writes the report of it (`make evaluate`).

report.md, report.json, confusion.png and reliability.png. With `--ablation` it also measures what understanding loses without each
of its parts; without it the report keeps the last result of that, with its date.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.assistant import Assistant
from bot.logs import configure_logs
from bot.training import fingerprint, training_texts
from evaluation import ablation, latency, pictures
from evaluation.groups import FOLDER, GROUPS, measure
from evaluation.markdown import to_markdown
from services.assembly import services


def today() -> dict[str, str]:
    """When and of which model (`bot.training.fingerprint`) something is measured."""
    return {"on": datetime.now(UTC).date().isoformat(), "model": fingerprint()}


def measured() -> dict[str, Any]:
    """Everything but the ablation."""
    assembled = services()
    assistant = Assistant(assembled.settings.models_dir, assembled.database, assembled.settings.action_seconds)
    taken = latency.measure(assistant, assembled.knowledge)  # first, while no message is known
    return {
        **today(),
        "training_examples": len(training_texts()),
        "question_variants": sum(len(entry.examples) for entry in assembled.knowledge.entries),
        "threshold": latency.loaded_components(assistant)["IntentClassifier"]._config["threshold"],
        "processor": processor(),
        "load": round(os.getloadavg()[0], 1),
        "groups": {name: {**measure(group, assistant, assembled.knowledge), "latency": taken[name]} for name, group in GROUPS.items()},
    }


def processor() -> str:
    """The name of this machine's processor, as the kernel tells it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def last_ablation(path: Path) -> dict[str, Any] | None:
    """The one that the last report holds, None where there is none."""
    return json.loads(path.read_text(encoding="utf-8")).get("ablation") if path.exists() else None


def write(result: dict[str, Any], folder: Path) -> None:
    (folder / "report.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(to_markdown(result), encoding="utf-8")
    pictures.confusion(result["groups"], folder / "confusion.png")
    pictures.reliability(result["groups"], folder / "reliability.png")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure understanding and write the report.")
    parser.add_argument("--ablation", action="store_true", help="also train the models without each part (slow)")
    arguments = parser.parse_args()
    configure_logs()
    result = measured()
    rows = {**today(), **ablation.measure()} if arguments.ablation else last_ablation(FOLDER / "report.json")
    write({**result, "ablation": rows}, FOLDER)
    print((FOLDER / "report.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
