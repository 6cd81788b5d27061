"""Rasa's side of `FollowUpModel`: trains it from data/follow_ups.csv, keeps it, and asks it where something was said before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.follow_up_model import FollowUpModel
from bot.nlu.normaliser import spelling_of
from bot.training import CODE, FOLLOW_UPS, fingerprint
from services.assembly import shared_encoder
from services.follow_up_search import read
from services.follow_ups import After
from services.spelling import normalise

AFTER = "after"
"""In the metadata of a message: what was said before it, a value of `After`."""
FOLLOW_UP = "follow_up"
"""Of a message: the likeliest `Meant` after what was said, with its probability."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class FollowUpClassifier(GraphComponent):
    def __init__(self, model_storage: ModelStorage, resource: Resource, model: FollowUpModel | None = None) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def fingerprint_addon(config: dict[str, Any]) -> str:
        """Rasa's cache knows neither our code nor the file."""
        return fingerprint((*CODE, FOLLOW_UPS))

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> FollowUpClassifier:
        return cls(model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        learned = read()
        model = FollowUpModel().fit(learned, [normalise(one.text) for one in learned], shared_encoder())
        with self._model_storage.write_to(self._resource) as directory:
            joblib.dump(model, Path(directory) / "follow_ups.joblib", compress=3)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> FollowUpClassifier:
        with model_storage.read_from(resource) as directory:
            return cls(model_storage, resource, joblib.load(Path(directory) / "follow_ups.joblib"))

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            after = (message.get(METADATA) or {}).get(AFTER)
            if after and self._model and message.get(TEXT):
                likely = self._model.probabilities(After(after), message.get(TEXT), spelling_of(message), shared_encoder())
                if likely:
                    best = max(likely, key=lambda meant: likely[meant])
                    message.set(FOLLOW_UP, {"meant": best.value, "confidence": likely[best]}, add_to_output=True)
        return messages
