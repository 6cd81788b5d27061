"""The intent classifier: sentence vectors and spelling features into one logistic regression, with abstention.

Sentence vectors (services/encoder.py) carry the meaning over languages and paraphrases, character and word n-grams carry the
spelling of names and slang. The probabilities are calibrated by temperature on held-out examples, and a message
whose best intent stays under the threshold gets `nlu_fallback`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import structlog
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack, spmatrix
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from services.assembly import shared_encoder
from services.encoder import Vectors
from services.spelling import normalise

log = structlog.get_logger(__name__)
FALLBACK = "nlu_fallback"
WORD = r"\S+"
Scores = npt.NDArray[np.float64]


class IntentModel:
    """The classifier without Rasa: texts in, calibrated probabilities out."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self.labels: list[str] = []
        self._temperature = 1.0

    def fit(self, texts: list[str], intents: list[str]) -> None:
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, dtype=np.float32)
        self._words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, min_df=2, sublinear_tf=True, dtype=np.float32)
        spelling = [normalise(text) for text in texts]
        self._characters.fit(spelling)
        self._words.fit(spelling)
        vectors = shared_encoder().encode_and_keep(texts)
        self._mean = vectors.mean(axis=0)
        features = self._features(spelling, vectors)
        self._calibrate(features, intents)
        self._regression = self._new_regression().fit(features, intents)
        self.labels = [str(label) for label in self._regression.classes_]

    def _new_regression(self) -> LogisticRegression:
        # A tighter tolerance costs three times the time and gains nothing on other people's messages.
        return LogisticRegression(C=self._config["C"], max_iter=300, tol=1e-3)

    def _calibrate(self, features: csr_matrix, intents: list[str]) -> None:
        """Choose the temperature that fits the confidence to how often a regression that has not seen them is right."""
        shares = train_test_split(features, intents, test_size=self._config["held_out"], random_state=1, stratify=intents)
        seen, unseen, seen_intents, unseen_intents = shares
        trial = self._new_regression().fit(seen, seen_intents)
        decisions = trial.decision_function(unseen)
        truth = np.searchsorted(trial.classes_, unseen_intents)

        def loss(temperature: float) -> float:
            return -float(log_softmax(decisions / temperature, axis=1)[np.arange(len(truth)), truth].mean())

        self._temperature = float(minimize_scalar(loss, bounds=(0.1, 5), method="bounded").x)
        accuracy = float((decisions.argmax(axis=1) == truth).mean())
        log.info("intents calibrated", temperature=round(self._temperature, 3), accuracy_on_held_out=round(accuracy, 4))

    def probabilities(self, texts: list[str]) -> Scores:
        """Shape (len(texts), len(labels)); rows sum to 1."""
        features = self._features([normalise(text) for text in texts], shared_encoder().encode(texts))
        return np.asarray(softmax(self._regression.decision_function(features) / self._temperature, axis=1))

    def _features(self, spelling: list[str], vectors: Vectors) -> spmatrix:
        centred = vectors - self._mean
        centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        weight = self._config["vector_weight"]
        return hstack(
            [csr_matrix(centred * weight), self._characters.transform(spelling), self._words.transform(spelling)], format="csr"
        )


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = IntentModel(config)

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """C: inverse strength of regularisation. vector_weight: of the sentence vector beside the spelling.

        held_out: share of examples that the confidence is calibrated on. threshold: the probability under which it abstains.
        """
        return {"C": 10.0, "vector_weight": 1.0, "held_out": 0.2, "threshold": 0.3}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> IntentClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        examples = [m for m in training_data.intent_examples if m.get(TEXT)]
        self._model.fit([m.get(TEXT) for m in examples], [m.get(INTENT) for m in examples])
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
            ranking = self._ranking(message.get(TEXT) or "")
            best: dict[str, Any] = ranking[0] if ranking else {"name": FALLBACK, "confidence": 0.0}
            if best["confidence"] < self._config["threshold"]:
                best = {"name": FALLBACK, "confidence": 1 - best["confidence"]}
                ranking.insert(0, best)
            message.set(INTENT, best, add_to_output=True)
            message.set("intent_ranking", ranking[:10], add_to_output=True)
        return messages

    def _ranking(self, text: str) -> list[dict[str, Any]]:
        if not text.strip() or not self._model.labels:
            return []
        probabilities = self._model.probabilities([text])[0]
        order = np.argsort(-probabilities)
        return [{"name": self._model.labels[i], "confidence": float(probabilities[i])} for i in order]
