"""What understanding loses without each of its parts: `IntentModel` trained anew without it, by the same examples.

Slow: seven models are trained. `python -m evaluation.report --ablation` runs it, and report.json keeps the result.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np
from sklearn.model_selection import train_test_split

from bot.nlu import intent_model
from bot.nlu.intent_model import Indices, IntentModel, Meaning, Neighbours, Reading, Scores, Views, Weighing
from bot.nlu.intents import FALLBACK
from evaluation.groups import GROUPS, OUTSIDE, Group
from evaluation.latency import WARM_UP, milliseconds
from evaluation.measures import percentiles, share
from services.assembly import shared_encoder
from services.encoder import CachingEncoder, E5Encoder, Vectors
from services.settings import PROJECT
from services.spelling import normalise
from services.spelling_correction import SpellingCorrection
from services.training_files import training_examples

ABSTAINS_UNDER = 0.3
"""As `IntentClassifier` does by default."""


class _TwoViews(Views):
    @property
    def log_probabilities(self) -> list[Scores]:
        return super().log_probabilities[:2]


class _WithoutNeighbours(Weighing):
    def fit(self, views: Views, truth: Indices) -> None:
        super().fit(_TwoViews(*views), truth)

    def probabilities(self, views: Views) -> Scores:
        return super().probabilities(_TwoViews(*views))


class _WithoutStrangeness(Weighing):
    def _doubts(self, views: Views, best: Indices) -> Scores:
        return np.asarray(super()._doubts(views, best)[:, :3])


class _MeaningAlone(IntentModel):
    def probabilities(self, text: str, spelling: str, encoder: CachingEncoder) -> Scores:
        return np.asarray(np.exp(self._meaning.read(encoder.encode_parts([text])).log_probabilities[0]))


class _SpellingAlone(IntentModel):
    def probabilities(self, text: str, spelling: str, encoder: CachingEncoder) -> Scores:
        return np.asarray(np.exp(self._spelling.log_probabilities(self._correction.correct(spelling))))


class _SentenceVectorAlone(Meaning):
    def fit(self, parts: Vectors, truth: Indices) -> Meaning:
        return super().fit(parts[:, :1], truth)

    def read(self, parts: Vectors) -> Reading:
        return super().read(parts[:, :1])


class _NeighboursBySentenceVectorAlone(Neighbours):
    def __init__(self, parts: Vectors, truth: Indices) -> None:
        super().__init__(parts[:, :1], truth)

    def log_probabilities(self, parts: Vectors) -> Scores:
        return super().log_probabilities(parts[:, :1])


def _no_correction(spellings: Iterable[str]) -> SpellingCorrection:
    """One that knows no word to mend others into."""
    return SpellingCorrection(())


@dataclass(frozen=True)
class Variant:
    """How a model differs from the one that serves: names of `bot.nlu.intent_model` in whose place others stand while it is trained,
    and what is done instead of `normalise`."""

    name: str
    model: type[IntentModel] = IntentModel
    replaced: dict[str, Any] = field(default_factory=dict)
    spelling_of: Callable[[str], str] = normalise


VARIANTS = (
    Variant("everything, as served"),
    Variant("spelling view only", model=_SpellingAlone),
    Variant("meaning view only", model=_MeaningAlone),
    Variant("without spelling correction", replaced={"SpellingCorrection": _no_correction}),
    Variant("without normalisation (as typed, in lower case)", spelling_of=str.lower),
    Variant("without the neighbours", replaced={"Weighing": _WithoutNeighbours}),
    Variant("without the doubts that need no example of `out_of_scope`", replaced={"Weighing": _WithoutStrangeness}),
    Variant(
        "the sentence vector proper instead of all its parts",
        replaced={"Meaning": _SentenceVectorAlone, "Neighbours": _NeighboursBySentenceVectorAlone},
    ),
)


def measure() -> dict[str, Any]:
    """rows: one a variant. left_out: the share of right answers on training examples that were left out of the training."""
    return {"rows": _rows(), "left_out": _left_out()}


def _examples() -> list[tuple[str, str]]:
    """(text, intent) of all training examples."""
    examples = training_examples(PROJECT / "data" / "nlu")
    return [(text, intent) for intent, texts in examples.items() for text in texts]


def _left_out() -> dict[str, Any]:
    """Of a fifth of the examples, by a model of the others."""
    examples = _examples()
    learned, asked = train_test_split(examples, test_size=0.2, random_state=1, stratify=[intent for _, intent in examples])
    model, encoder = _train(VARIANTS[0], learned), shared_encoder()
    found = [model.labels[int(model.probabilities(text, normalise(text), encoder).argmax())] for text, _ in asked]
    return share(np.array([name == intent for name, (_, intent) in zip(found, asked, strict=True)]))


def _rows() -> list[dict[str, Any]]:
    """Variants that differ only in how they decide share a training."""
    trained: dict[tuple[Any, ...], IntentModel] = {}
    rows = []
    for variant in VARIANTS:
        key = (variant.spelling_of, *variant.replaced)
        if key not in trained:
            trained[key] = _train(variant, _examples())
        model = variant.model({})
        kept = copy.deepcopy(vars(trained[key]))  # a copy has mended no word yet
        vars(model).update(kept)
        rows.append({"name": variant.name, **_measure(model, variant)})
    return rows


def _train(variant: Variant, examples: list[tuple[str, str]]) -> IntentModel:
    texts, intents = zip(*examples, strict=True)
    model = IntentModel({})
    with patch.dict(vars(intent_model), variant.replaced):
        model.fit(texts, [variant.spelling_of(text) for text in texts], intents, shared_encoder())
    return model


def _measure(model: IntentModel, variant: Variant) -> dict[str, Any]:
    encoder = CachingEncoder(E5Encoder())  # of its own, so that no message has been encoded before
    taken: list[float] = []

    def acted_on(text: str) -> str:
        probabilities = model.probabilities(text, variant.spelling_of(text), encoder)
        return model.labels[int(probabilities.argmax())] if probabilities.max() >= ABSTAINS_UNDER else FALLBACK

    for text in WARM_UP:
        acted_on(text)
    result: dict[str, Any] = {}
    for name, group in GROUPS.items():
        rows = group.intents
        said: list[str] = []
        for row in rows:
            taken.append(milliseconds(lambda: said.append(acted_on(row["text"]))))  # noqa: B023 called at once
        result[name] = _figures(group, [row["intent"] for row in rows], said, acted_on)
    return {**result, "milliseconds": percentiles(taken)}


def _figures(group: Group, truth: list[str], said: list[str], acted_on: Callable[[str], str]) -> dict[str, float]:
    pairs = list(zip(truth, said, strict=True))
    return {
        "accuracy": float(np.mean([t == s for t, s in pairs])),
        "rejected": float(np.mean([s in {OUTSIDE, FALLBACK} for t, s in pairs if t != OUTSIDE])),
        "out_of_scope": float(np.mean([acted_on(row["text"]) in {OUTSIDE, FALLBACK} for row in group.out_of_scope])),
    }
