"""The arithmetic of the evaluation report, its page and pictures, and the check that keeps its messages out of the training data."""

from __future__ import annotations

import csv
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import image

from bot.nlu import intent_model
from evaluation import ablation, check_data, latency, measures, report
from evaluation.groups import GROUPS, Understood

AUTHORS = {"development": "abcdfgisuvw", "held_out": "ehjqtx"}
AUTHORS_OF_UNANSWERABLE = {"development": "pP", "held_out": "rR"}
AUTHORS_OF_FOLLOW_UPS = {"development": "lm", "held_out": "no"}
AUTHORS_OF_ENTRIES = {"development": "AB", "held_out": "C"}
AUTHORS_OF_QUESTIONS = {"development": "y", "held_out": "kz"}


def figures(accuracy: float, wrong: int) -> dict[str, Any]:
    """What `groups.measure` and `latency.measure` give of a group."""
    found = {"n": 40, "share": accuracy, "interval": (accuracy - 0.1, min(accuracy + 0.1, 1.0))}
    confusion = [["thank", "crisis", wrong], ["deny", "out_of_scope", 1]] if wrong else []
    return {
        "intents": {
            "accuracy": found,
            "macro_f1": {"value": accuracy, "interval": found["interval"]},
            "calibration_error": 0.02,
            "reliability": [{"confidence": 0.55, **found}, {"confidence": 0.98, **found}],
            "by_register": {"formal": found},
            "by_author": {"a": found},
            "by_intent": {"thank": found},
            "confusion": confusion,
        },
        "rejected": found,
        "out_of_scope": {"turns_not_answered": found, "by_author": {"ab": found}, "by_intent": found},
        "operating_points": measures.operating_points(np.array([0.4, 0.96]), np.array([0.0, 0.6])),
        "crisis": {"recall": found, "false_alarms": {"not_crisis.csv": {"n": 150, "alarms": 3}}},
        "topics": {**dict.fromkeys(("at_1", "at_3", "answered_at_once", "right_when_answered"), found), "by_author": {"ab": found}},
        "entries": {**dict.fromkeys(("at_1", "at_3", "answered_at_once", "right_when_answered"), found), "by_author": {"A": found}},
        "unanswerable": dict.fromkeys(("not_answered", "of_pairs", "others_answered"), found),
        "follow_ups": {"right": found, "by_author": {"l": found}, "by_after": {"ticket": found}},
        "latency": {"Normaliser": {"n": 20, "p50": 0.02, "p95": 0.05}},
    }


def result(ablation: dict[str, Any] | None, wrong: int = 2) -> dict[str, Any]:
    return {
        "on": "2026-01-02",
        "model": "0123456789ab",
        "training_examples": 100,
        "question_variants": 50,
        "threshold": 0.3,
        "processor": "a processor",
        "load": 0.5,
        "groups": {"development": figures(0.975, wrong), "held_out": figures(0.901, wrong)},
        "ablation": ablation,
    }


def test_an_interval_holds_the_share_and_narrows_with_more_messages() -> None:
    few, many = measures.share(np.arange(40) % 10 > 0), measures.share(np.arange(4000) % 10 > 0)
    for found in (few, many):
        assert found["share"] == 0.9
        assert found["interval"][0] < 0.9 < found["interval"][1]
    assert many["interval"][1] - many["interval"][0] < few["interval"][1] - few["interval"][0]


def test_a_share_of_no_messages_is_not_a_number_that_is_made_up() -> None:
    assert measures.share(np.array([], dtype=bool)) == {"n": 0, "share": None, "interval": None}


def test_where_all_are_right_wilsons_interval_still_has_a_width() -> None:
    low, high = measures.wilson(np.ones(36, dtype=bool))
    assert low == pytest.approx(0.9036, abs=1e-3)
    assert high == 1


def test_macro_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    truth, predicted = list("aaabbbcccc"), list("aabbbbccca")
    assert measures.macro_f1(truth, predicted)["value"] == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_what_only_ever_is_predicted_is_no_label_of_macro_f1() -> None:
    assert measures.macro_f1(["a", "a", "b"], ["a", "nlu_fallback", "b"])["value"] == pytest.approx((2 / 3 + 1) / 2)


def test_the_calibration_error_is_the_distance_between_said_and_true() -> None:
    bins = measures.reliability(np.array([0.95] * 10 + [0.55] * 10), np.array([True] * 10 + [True] * 3 + [False] * 7))
    assert [b["n"] for b in bins] == [10, 10]
    assert measures.calibration_error(bins) == pytest.approx((0.05 + 0.25) / 2)


def test_the_higher_the_threshold_the_more_is_found_and_lost() -> None:
    random = np.random.default_rng(1)
    points = measures.operating_points(random.beta(8, 1, 300), random.beta(1, 3, 300))
    for before, after in pairwise(points):
        assert before["recall"] <= after["recall"]
        assert before["lost"] <= after["lost"]


def test_what_is_taken_for_out_of_scope_is_never_acted_on() -> None:
    assert Understood("out_of_scope", "out_of_scope", 0.99).kept == 0
    assert Understood("nlu_fallback", "thank", 0.2).kept == 0.2


def test_the_report_shows_both_groups_and_how_it_came_about(tmp_path: Path) -> None:
    report.write(result(None), tmp_path)
    page = (tmp_path / "report.md").read_text()
    assert "97.5 (87.5 – 100.0), n 40 | 90.1 (80.1 – 100.0), n 40" in page
    assert "2026-01-02" in page
    assert "language models" in page
    assert "3 of 150" in page
    assert "| a | development | 97.5" in page
    assert "| ab | held out |  | 90.1" in page
    assert "Not measured yet" in page
    for name in ("confusion.png", "reliability.png"):
        assert f"]({name})" in page
        assert image.imread(tmp_path / name).shape[1] == 1420  # 7.1 inches, 200 dots each


def test_a_report_without_a_single_error_is_written_too(tmp_path: Path) -> None:
    report.write(result(None, wrong=0), tmp_path)
    assert (tmp_path / "confusion.png").exists()


def test_the_last_ablation_is_kept_with_its_date(tmp_path: Path) -> None:
    assert report.last_ablation(tmp_path / "report.json") is None
    shares = {"accuracy": 0.91, "rejected": 0.02, "out_of_scope": 0.9}
    row = {"name": "without a part", "development": shares, "held_out": shares, "milliseconds": {"n": 9, "p50": 0.5, "p95": 5.0}}
    ablation = {
        "on": "2025-12-31",
        "model": "ba9876543210",
        "rows": [row],
        "left_out": {"n": 20, "share": 0.9, "interval": [0.7, 1.0]},
    }
    report.write(result(ablation), tmp_path)
    assert report.last_ablation(tmp_path / "report.json") == ablation
    page = (tmp_path / "report.md").read_text()
    assert "Of 2025-12-31" in page
    assert "| without a part | 91.0 | 2.0 | 90.0 | 91.0 | 2.0 | 90.0 | 0.50 | 5.00 |" in page


def test_the_report_of_the_project_is_of_the_files_that_are_there() -> None:
    written = json.loads((report.FOLDER / "report.json").read_text())["groups"]
    for name, group in GROUPS.items():
        assert written[name]["intents"]["accuracy"]["n"] == len(group.intents)
        assert written[name]["out_of_scope"]["turns_not_answered"]["n"] == len(group.out_of_scope)
        assert written[name]["topics"]["at_1"]["n"] == len(group.topics)
        assert written[name]["entries"]["at_1"]["n"] == len(group.entries)
        assert written[name]["unanswerable"]["not_answered"]["n"] == sum(row["answerable"] == "no" for row in group.unanswerable)
        assert written[name]["follow_ups"]["right"]["n"] == len(group.follow_ups)
        assert written[name]["crisis"]["false_alarms"]["not_crisis.csv"]["n"] == len(group.not_crisis)


def test_the_authors_of_the_groups_are_different_people() -> None:
    for name, group in GROUPS.items():
        assert {row["author"] for row in group.intents} == set(AUTHORS[name])
        assert {row["author"] for row in group.entries} == set(AUTHORS_OF_ENTRIES[name])
        assert {row["author"] for row in group.unanswerable} == set(AUTHORS_OF_UNANSWERABLE[name])
        assert {row["author"] for row in group.follow_ups} == set(AUTHORS_OF_FOLLOW_UPS[name])
        for rows in (group.topics, group.out_of_scope, group.not_crisis):
            assert set("".join(row["author"] for row in rows)) <= set(AUTHORS[name] + AUTHORS_OF_QUESTIONS[name])


def test_waiting_costs_no_processor_time() -> None:
    assert latency.milliseconds(time.sleep, 0.2) < 100


@pytest.mark.parametrize("variant", ablation.VARIANTS, ids=lambda variant: variant.name)
def test_what_a_variant_leaves_out_is_there_in_the_model_that_serves(variant: ablation.Variant) -> None:
    assert set(variant.replaced) <= set(vars(intent_model))


def test_a_model_without_correction_mends_nothing() -> None:
    replaced = next(variant.replaced for variant in ablation.VARIANTS if "SpellingCorrection" in variant.replaced)
    texts = ["aspirasi masyarakat"] * 5
    assert intent_model.SpellingCorrection(texts).correct("asipirasi") == "aspirasi"
    assert replaced["SpellingCorrection"](texts).correct("asipirasi") == "asipirasi"


# --- the check of the training data ------------------------------------------------------------------------------------------


def with_text(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["text"], [text]])


@pytest.mark.parametrize("name", ["intents.csv", "not_crisis.csv", "held_out/out_of_scope.csv", "held_out/not_crisis.csv"])
def test_a_message_of_the_evaluation_may_not_be_learned_from(tmp_path: Path, name: str) -> None:
    with_text(tmp_path / name, "Tolong jelaskan jadwal layanan kunjungan")
    assert check_data.leaked(tmp_path, ["apa syarat magang di sini"], []) == []
    [finding] = check_data.leaked(tmp_path, ["tolong jelaskan jadwal layanan kunjungan."], [])
    assert finding.startswith(f"{name}: ")


def test_a_question_variant_may_be_no_held_out_message_either(tmp_path: Path) -> None:
    with_text(tmp_path / "intents.csv", "kapan jadwal layanan kunjungan dibuka")
    variants = ["Kapan jadwal layanan kunjungan dibuka"]
    assert check_data.leaked(tmp_path, [], variants) == []  # the search is not measured on it
    with_text(tmp_path / "held_out" / "intents.csv", "kapan jadwal layanan kunjungan dibuka")
    assert len(check_data.leaked(tmp_path, [], variants)) == 1


def test_an_intent_needs_sixty_examples_and_a_busy_one_a_hundred() -> None:
    enough = {intent: ["x"] * 100 for intent in check_data.BUSY}
    assert check_data.too_few({**enough, "thank": ["x"] * 60}) == []
    assert check_data.too_few({**enough, "thank": ["x"] * 59}) == ["thank: 59 examples, 60 are needed"]
    assert check_data.too_few({**enough, "crisis": ["x"] * 99}) == ["crisis: 99 examples, 100 are needed"]
    assert len(check_data.too_few({})) == len(check_data.BUSY)
