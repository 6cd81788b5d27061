"""Rasa's own test of conversations: the stories of tests/stories with the trained model, intents and entities included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.registry import JOURNEYS
from services.settings import PROJECT

RASA = str(Path(sys.executable).with_name("rasa"))
STORIES = PROJECT / "tests" / "stories"


def run_rasa_test(stories: Path, results: Path) -> subprocess.CompletedProcess[str]:
    command = [RASA, "test", "core", "--e2e", "--stories", str(stories), "-m", "models", "--out", str(results)]
    options = ["--fail-on-prediction-errors", "--no-plot"]
    return subprocess.run([*command, *options], cwd=PROJECT, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


def test_every_story_passes_rasas_own_test(tmp_path: Path) -> None:
    done = run_rasa_test(STORIES, tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = sum(path.read_text().count("- story:") for path in STORIES.glob("test_*.yml"))
    assert f"{told} / {told}" in done.stderr, done.stderr[-3000:]


def slots_asked(story: dict[str, Any]) -> list[str]:
    """The slots asked for, in order, each once."""
    asked = [slot["requested_slot"] for step in story["steps"] for slot in step.get("slot_was_set", [])]
    return list(dict.fromkeys(slot for slot in asked if slot))


@pytest.mark.parametrize("name", JOURNEYS)
def test_every_form_has_a_story_to_its_end_one_with_an_interruption_and_one_that_is_cancelled(name: str) -> None:
    whole, interrupted, cancelled = yaml.safe_load((STORIES / f"test_{name}.yml").read_text())["stories"]
    unconditional = [f"{name}_{field.name}" for field in JOURNEYS[name].all_fields if field.when({})]
    assert slots_asked(whole) == unconditional
    asked = [step["slot_was_set"][0]["requested_slot"] for step in interrupted["steps"] if "slot_was_set" in step]
    assert len(asked) > len(set(asked)), "no question is asked again after the interruption"
    assert any(step.get("intent") == "cancel" for step in cancelled["steps"])
    assert cancelled["steps"][-1] == {"action": "action_answer"}


def test_every_single_turn_rule_has_a_story() -> None:
    rules = yaml.safe_load((PROJECT / "data" / "rules" / "single_turns.yml").read_text())["rules"]
    told = yaml.safe_load((STORIES / "test_single_turns.yml").read_text())["stories"]
    pairs = [tuple(step.get("intent") or step["action"] for step in one["steps"]) for one in rules + told]
    assert sorted(pairs[: len(rules)]) == sorted(pairs[len(rules) :])
