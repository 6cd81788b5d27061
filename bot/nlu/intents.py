"""Rasa's side of the intent classifier: trains, keeps and asks `IntentModel`, and abstains.

An emergency comes first from a probability on, a lower one where the message has words of a danger (`services.dangers`), and last
under it; words that are certain need none. A message whose best intent stays under the threshold gets `nlu_fallback`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.intent_model import DEFAULTS, IntentModel
from bot.nlu.normaliser import spelling_of
from bot.training import CODE, fingerprint
from services.assembly import shared_encoder
from services.dangers import CRISIS, danger_of, is_certain
from services.teaching import FALLBACK as FALLBACK

FAVOURITES = "intent_favourites"
"""Of a message: the intent that each view of it holds likeliest. None, or one, where not all were asked."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = IntentModel({name: config[name] for name in DEFAULTS})

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Those of `IntentModel`, and the probabilities that count.

        threshold: under it the classifier abstains. crisis_least, crisis_with_words: what an emergency needs, without words of one
        and with them; crisis_favoured: with them, where one of the views holds it likeliest.
        """
        return {**DEFAULTS, "threshold": 0.3, "crisis_least": 0.5, "crisis_with_words": 0.5, "crisis_favoured": 0.5}

    @staticmethod
    def fingerprint_addon(config: dict[str, Any]) -> str:
        """Rasa's cache knows data and configuration; a change of our code has to be told to it."""
        return fingerprint(CODE)

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> IntentClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        examples = [m for m in training_data.intent_examples if m.get(TEXT)]
        texts, intents = [m.get(TEXT) for m in examples], [m.get(INTENT) for m in examples]
        self._model.fit(texts, [spelling_of(m) for m in examples], intents, shared_encoder())
        with self._model_storage.write_to(self._resource) as directory:
            joblib.dump(self._model, Path(directory) / "intents.joblib", compress=3)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as directory:
            component._model = joblib.load(Path(directory) / "intents.joblib")
        return component

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            ranking, favourites = self._ranking(message)
            best: dict[str, Any] = ranking[0] if ranking else {"name": FALLBACK, "confidence": 0.0}
            if best["confidence"] < self._config["threshold"]:
                best = {"name": FALLBACK, "confidence": 1 - best["confidence"]}
                ranking.insert(0, best)
            message.set(INTENT, best, add_to_output=True)
            message.set("intent_ranking", ranking[:10], add_to_output=True)
            message.set(FAVOURITES, favourites, add_to_output=True)
        return messages

    def _ranking(self, message: Message) -> tuple[list[dict[str, Any]], list[str]]:
        """Intents with their confidence, the best first, and the favourite of each view."""
        text = message.get(TEXT) or ""
        if not text.strip() or not self._model.labels:
            return [], []
        probabilities, favourites = self._model.judge(text, spelling_of(message), shared_encoder())
        order = np.argsort(-probabilities)
        ranking = [{"name": self._model.labels[i], "confidence": float(probabilities[i])} for i in order]
        crisis = next((one for one in ranking if one["name"] == CRISIS), None)
        if crisis:
            ranking.remove(crisis)
            if self._is_emergency(crisis["confidence"], message, favourites):
                ranking.insert(0, {**crisis, "confidence": max(crisis["confidence"], self._config["crisis_least"])})
            else:
                ranking.append(crisis)
        return ranking, favourites

    def _is_emergency(self, probability: float, message: Message, favourites: list[str]) -> bool:
        if probability >= self._config["crisis_least"]:
            return True
        needed = self._config["crisis_favoured" if CRISIS in favourites else "crisis_with_words"]
        return is_certain(spelling_of(message)) or (probability >= needed and danger_of(message.get(TEXT)) is not None)
