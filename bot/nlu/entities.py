"""Entities by form: numbers of tickets and SIMPEL requests, and the language of the message.

Personal values (e-mail, phone, NIK, passport) are not made entities: they would be stored with the tracker. Forms take them
from the message as typed (services/fields.py).
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import language
from services import tickets


def extract(text: str) -> list[dict[str, Any]]:
    """Entities in Rasa's form; `start` and `end` are those of the whole message where a value has no one place."""
    found = {"ticket_number": tickets.normalise_number(text), "language": language.detect(text)}
    return [
        {"entity": name, "value": value, "start": 0, "end": len(text), "extractor": "EntityExtractor", "confidence_entity": 1.0}
        for name, value in found.items()
        if value
    ]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EntityExtractor(GraphComponent):
    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> EntityExtractor:
        return cls()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            found = extract(message.get(TEXT) or "")
            message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages
