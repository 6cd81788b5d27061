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
from scipy.sparse import csr_matrix, hstack
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
NEVER_QUICK = {"crisis"}
"""What is always decided on spelling and meaning together."""
Scores = npt.NDArray[np.float64]


class CalibratedRegression:
    """A logistic regression whose confidence is fitted, by temperature, to how often it is right on unseen examples."""

    def __init__(self, c: float, held_out: float) -> None:
        self._c = c
        self._held_out = held_out
        self._temperature = 1.0

    def fit(self, features: csr_matrix, intents: list[str]) -> float:
        """Returns the accuracy on the held-out share."""
        shares = train_test_split(features, intents, test_size=self._held_out, random_state=1, stratify=intents)
        seen, unseen, seen_intents, unseen_intents = shares
        trial = self._new().fit(seen, seen_intents)
        decisions = trial.decision_function(unseen)
        truth = np.searchsorted(trial.classes_, unseen_intents)

        def loss(temperature: float) -> float:
            return -float(log_softmax(decisions / temperature, axis=1)[np.arange(len(truth)), truth].mean())

        self._temperature = float(minimize_scalar(loss, bounds=(0.1, 5), method="bounded").x)
        self._regression = self._new().fit(features, intents)
        return float((decisions.argmax(axis=1) == truth).mean())

    def _new(self) -> LogisticRegression:
        # A tighter tolerance costs three times the time and gains nothing on other people's messages.
        return LogisticRegression(C=self._c, max_iter=300, tol=1e-3)

    @property
    def labels(self) -> list[str]:
        return [str(label) for label in self._regression.classes_]

    def probabilities(self, features: csr_matrix) -> Scores:
        """Shape (rows, labels); rows sum to 1."""
        return np.asarray(softmax(self._regression.decision_function(features) / self._temperature, axis=1))


class IntentModel:
    """The classifier without Rasa: a text in, calibrated probabilities out.

    Two regressions: one on spelling alone, which costs a millisecond and decides where it is sure, and one on spelling and
    meaning for the rest, which costs the encoding of the sentence.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self.labels: list[str] = []

    def fit(self, texts: list[str], intents: list[str]) -> None:
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, dtype=np.float32)
        self._words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, min_df=2, sublinear_tf=True, dtype=np.float32)
        spelling = [normalise(text) for text in texts]
        self._characters.fit(spelling)
        self._words.fit(spelling)
        vectors = shared_encoder().encode_and_keep(texts)
        self._mean = vectors.mean(axis=0)
        by_spelling = self._spelling_features(spelling)
        accuracy = {}
        for name, features in (("spelling", by_spelling), ("meaning", self._with_meaning(by_spelling, vectors))):
            regression = CalibratedRegression(self._config["C"], self._config["held_out"])
            accuracy[name] = round(regression.fit(features, intents), 4)
            setattr(self, f"_by_{name}", regression)
        self.labels = self._by_spelling.labels
        log.info("intents trained", examples=len(texts), accuracy_on_held_out=accuracy)

    _by_spelling: CalibratedRegression
    _by_meaning: CalibratedRegression

    def probabilities(self, text: str) -> Scores:
        """One number a label; they sum to 1."""
        by_spelling = self._spelling_features([normalise(text)])
        quick = self._by_spelling.probabilities(by_spelling)[0]
        if quick.max() >= self._config["sure"] and self.labels[int(quick.argmax())] not in NEVER_QUICK:
            return np.asarray(quick)
        vectors = shared_encoder().encode([text])
        return np.asarray(self._by_meaning.probabilities(self._with_meaning(by_spelling, vectors))[0])

    def _spelling_features(self, spelling: list[str]) -> csr_matrix:
        return hstack([self._characters.transform(spelling), self._words.transform(spelling)], format="csr")

    def _with_meaning(self, by_spelling: csr_matrix, vectors: Vectors) -> csr_matrix:
        centred = vectors - self._mean
        centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        return hstack([csr_matrix(centred * self._config["vector_weight"]), by_spelling], format="csr")


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

        held_out: share of examples that the confidence is calibrated on. sure: from which probability
        spelling alone decides. threshold: the probability under which it abstains.
        """
        return {"C": 10.0, "vector_weight": 1.0, "held_out": 0.2, "sure": 0.9, "threshold": 0.3}

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
        probabilities = self._model.probabilities(text)
        order = np.argsort(-probabilities)
        return [{"name": self._model.labels[i], "confidence": float(probabilities[i])} for i in order]
