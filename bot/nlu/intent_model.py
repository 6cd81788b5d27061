"""The intent classifier without Rasa: a message in, calibrated probabilities of the intents out.

Three views of a message are weighed: `Spelling` counts its words and their parts and knows names and slang; `Meaning` reads its
sentence vectors (services/encoder.py) and knows paraphrases; `Neighbours` tells which examples lie near it. Where spelling alone is
sure, no vector is made. What each part brings stands in docs/understanding.md.

scikit-learn fits the parts and is imported where that is done: a process that only answers needs none of its 60 MB.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import structlog
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit, softmax

from services.encoder import CachingEncoder, Vectors, directions
from services.quick_products import QuickProducts
from services.spelling_correction import SpellingCorrection
from services.terms import parts_of_words, words_and_pairs

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

log = structlog.get_logger(__name__)
Scores = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
NEAREST, AXES, CLOSENESS = 3, 256, 10.0
"""Of `Neighbours`: how many examples of a label count, numbers of a place, and factor of a cosine beside a logarithm of odds."""
LESS_SURE = 0.5
"""Where a label's lead is a sign of doubt, log-probabilities count by this factor: differences among great ones then still tell."""

DEFAULTS: dict[str, Any] = {
    "outside": "out_of_scope",
    "never_quick": ["crisis"],
    "sure": 0.99,
    "surer": {},
    "C": 10.0,
    "hidden": 512,
    "networks": 3,
    "held_out": 0.2,
}
"""outside: the intent of what the assistant isn't for. never_quick: intents that spelling alone never decides. sure: the probability
from which it decides; surer: that for some intents, by name. C: inverse strength of the regularisation of `Spelling`. hidden,
networks: size and number of the networks of `Meaning`. held_out: share of the examples on which the views are weighed."""


def _log_softmax(scores: Scores) -> Scores:
    """As scipy's along the last axis, in a tenth of its time for one message."""
    away = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(away - np.log(np.exp(away).sum(axis=-1, keepdims=True)), dtype=np.float64)


class Ngrams:
    """Weighted counts of terms of a text: tf-idf with logarithmic counts, rows of length 1, of terms in two texts or more."""

    def __init__(self, terms: Callable[[str], Sequence[str]]) -> None:
        self._terms = terms

    def fit(self, spellings: Sequence[str]) -> csr_matrix:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer=self._terms, min_df=2, sublinear_tf=True, dtype=np.float32)
        rows = vectorizer.fit_transform(spellings)
        self._places = vectorizer.vocabulary_
        self._idf = vectorizer.idf_
        return rows

    @property
    def size(self) -> int:
        return len(self._places)

    def row(self, spelling: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        """Columns and values of one text, as `fit` gave those of its texts."""
        known = self._places
        counts = {known[term]: count for term, count in Counter(self._terms(spelling)).items() if term in known}
        columns = np.fromiter(counts.keys(), np.intp, len(counts))
        values = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self._idf[columns]
        return columns, (values / max(float(np.linalg.norm(values)), 1e-9)).astype(np.float32)


class Spelling:
    """A logistic regression on words, pairs of words and parts of words of two to five letters."""

    def __init__(self, c: float) -> None:
        self._c = c
        self._parts = Ngrams(parts_of_words)
        self._words = Ngrams(words_and_pairs)

    def features(self, spellings: Sequence[str]) -> csr_matrix:
        """Learns the vocabulary. Shape (texts, parts and words)."""
        return hstack([self._parts.fit(spellings), self._words.fit(spellings)], format="csr")

    def regression(self, features: csr_matrix, truth: Indices) -> LogisticRegression:
        from sklearn.linear_model import LogisticRegression

        # A tighter tolerance costs three times the time and gains nothing on other people's messages.
        return LogisticRegression(C=self._c, max_iter=300, tol=1e-3, warm_start=True).fit(features, truth)

    def fit(self, features: csr_matrix, truth: Indices, part: LogisticRegression) -> None:
        """`part`: what was learned from some of these examples, which goes on learning from all: in a third of the time."""
        regression = part.fit(features, truth)
        # A row a feature: a message has some hundred of them, and scikit-learn would turn the whole matrix for each message.
        self._weights = np.ascontiguousarray(regression.coef_.T, dtype=np.float32)
        self._bias = regression.intercept_

    def log_probabilities(self, spelling: str) -> Scores:
        parts, part_values = self._parts.row(spelling)
        words, word_values = self._words.row(spelling)
        decision = part_values @ self._weights[parts] + word_values @ self._weights[self._parts.size + words]
        return _log_softmax(decision + self._bias)


class Reading(NamedTuple):
    """What the networks make of messages. `scores`: before they are made to sum to 1. Both have the shape (messages, labels)."""

    log_probabilities: Scores
    scores: Scores


class Meaning:
    """Networks with one hidden layer on the parts of the sentence vector; their log-probabilities are averaged.

    The first one reads the sentence vector proper, the others all parts: networks that read different things err differently.
    """

    def __init__(self, hidden: int, networks: int) -> None:
        self._hidden, self._networks = hidden, networks

    def fit(self, parts: Vectors, truth: Indices) -> Meaning:
        """`parts`: shape (rows, parts, dimensions)."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        self._mean = parts.mean(axis=0)
        inputs = directions(parts, self._mean)
        self._layers: list[tuple[int, tuple[QuickProducts, Vectors], list[Vectors]]] = []
        for seed in range(self._networks):
            read = 1 if seed == 0 else inputs.shape[1]
            network = MLPClassifier(
                (self._hidden,),
                alpha=1e-3,
                batch_size=min(256, len(truth)),
                learning_rate_init=2e-3 if read == 1 else 1e-3,
                max_iter=15,
                random_state=seed,
            )
            with warnings.catch_warnings():  # fifteen rounds are meant: more of them learn by heart
                warnings.simplefilter("ignore", ConvergenceWarning)
                network.fit(self._first(inputs, read), truth)
            first, second = network.coefs_
            self._layers.append((read, (QuickProducts(first.T), second), network.intercepts_))
        return self

    @staticmethod
    def _first(inputs: Vectors, read: int) -> Vectors:
        """So many parts beside each other, shape (rows, numbers), each number with a variance of about one over their number."""
        scale = np.sqrt(inputs.shape[2] / read)
        return np.asarray(inputs[:, :read].reshape(len(inputs), -1) * scale, dtype=np.float32)

    def read(self, parts: Vectors) -> Reading:
        inputs = directions(parts, self._mean)
        scores = []
        for read, (first, second), (first_bias, second_bias) in self._layers:
            scores.append(np.maximum(first.of(self._first(inputs, read)) + first_bias, 0) @ second + second_bias)
        return Reading(np.mean([_log_softmax(score) for score in scores], axis=0), np.mean(scores, axis=0))


class Neighbours:
    """How close a message comes to the examples of each label: the mean cosine to the nearest three, over all parts of the vector.

    In the directions in which the examples differ most: a quarter of the numbers, and as right.
    """

    def __init__(self, parts: Vectors, truth: Indices) -> None:
        self._mean = parts.mean(axis=0)
        away = self._away(parts)
        self._axes = np.asarray(np.linalg.eigh(away.T @ away)[1][:, -AXES:], dtype=np.float32)
        order = np.argsort(truth, kind="stable")
        self._examples = QuickProducts(self._places(parts[order]))
        self._ends = np.cumsum(np.bincount(truth))

    def _away(self, parts: Vectors) -> Vectors:
        return directions(parts, self._mean).reshape(len(parts), -1)

    def _places(self, parts: Vectors) -> Vectors:
        places = self._away(parts) @ self._axes
        return np.asarray(places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def log_probabilities(self, parts: Vectors) -> Scores:
        """Shape (rows, labels)."""
        cosines = np.split(self._examples.of(self._places(parts)), self._ends[:-1], axis=1)
        nearest = np.empty((len(parts), len(cosines)))
        for label, one in enumerate(cosines):
            few = min(NEAREST, one.shape[1])
            nearest[:, label] = np.partition(one, -few, axis=1)[:, -few:].sum(axis=1) / few
        return _log_softmax(CLOSENESS * nearest)


class Views(NamedTuple):
    """Messages as each part sees them. `spelling`, `neighbours`: log-probabilities, shape (messages, labels)."""

    spelling: Scores
    meaning: Reading
    neighbours: Scores

    @property
    def log_probabilities(self) -> list[Scores]:
        return [self.spelling, self.meaning.log_probabilities, self.neighbours]


class Judgement(NamedTuple):
    """What a model makes of one message. `probabilities`: one number a label; they sum to 1. `favourites`: the label that spelling,
    meaning and neighbours each hold likeliest; that of spelling alone where it decides."""

    probabilities: Scores
    favourites: list[str]


class Weighing:
    """How much each view counts, and how sure one may be: fitted to examples that the views have not seen."""

    def __init__(self, outside: int | None) -> None:
        """`outside`: the label of what the assistant isn't for, if there is one."""
        self._outside = outside

    def fit(self, views: Views, truth: Indices) -> None:
        from sklearn.linear_model import LogisticRegression

        self.weights = self.best_weights(views.log_probabilities, truth)
        self._quick_weight = float(self.best_weights([views.spelling], truth)[0])
        self._odds: tuple[Scores, float] | None = None
        if self._outside is not None:
            doubts = self._doubts(views, self._best_inside(views))
            self._scale = doubts.std(axis=0)
            odds = LogisticRegression(C=0.1).fit(self._signs(doubts), truth == self._outside)
            self._odds = odds.coef_[0], float(odds.intercept_[0])

    @staticmethod
    def best_weights(views: Sequence[Scores], truth: Indices) -> Scores:
        """Those with which what was said is as likely as it can be, one a view."""
        from scipy.optimize import minimize

        rows = np.arange(len(truth))

        def loss(weights: Scores) -> float:
            combined = sum(weight * view for weight, view in zip(weights, views, strict=True))
            return -float(_log_softmax(combined)[rows, truth].mean())

        return np.asarray(minimize(loss, [1.0, *[0.5] * (len(views) - 1)], method="Nelder-Mead").x)

    def quick(self, spelling: Scores) -> Scores:
        """Probabilities by spelling alone, shape (labels,)."""
        return np.asarray(softmax(self._quick_weight * spelling))

    def _combined(self, views: Views) -> Scores:
        return np.asarray(sum(weight * view for weight, view in zip(self.weights, views.log_probabilities, strict=True)))

    def _best_inside(self, views: Views) -> Indices:
        combined = self._combined(views)
        combined[:, self._outside] = -np.inf
        return np.asarray(combined.argmax(axis=1))

    def _doubts(self, views: Views, best: Indices) -> Scores:
        """What speaks against the best other label, shape (rows, 5).

        How much likelier `outside` is in each view: these know it by its examples. How weakly the networks answer to the best label,
        and how little it stands out among the other labels: these find what is like nothing that was learned.
        """
        rows = np.arange(len(best))
        likelier = [view[:, self._outside] - view[rows, best] for view in views.log_probabilities]
        weak = -views.meaning.scores[rows, best]
        combined = self._combined(views)
        combined[:, self._outside] = -np.inf
        unclear = -_log_softmax(combined * LESS_SURE)[rows, best]
        return np.stack([*likelier, weak, unclear], axis=1)

    def _signs(self, doubts: Scores) -> Scores:
        """The doubts, and before them their sum, made so large that regularisation leaves it alone.

        So all doubts count the same unless there are many examples of `outside` that say otherwise.
        """
        scaled = doubts / self._scale
        return np.column_stack([10 * scaled.sum(axis=1), scaled])

    def probabilities(self, views: Views) -> Scores:
        """By all views, shape (rows, labels); rows sum to 1."""
        combined = self._combined(views)
        if self._odds is None:
            return np.asarray(softmax(combined, axis=1))
        signs = self._signs(self._doubts(views, self._best_inside(views)))
        weights, bias = self._odds
        outside = expit(signs @ weights + bias)
        combined[:, self._outside] = -np.inf
        result = softmax(combined, axis=1) * (1 - outside[:, None])
        result[:, self._outside] = outside
        return np.asarray(result)


class IntentModel:
    """A text and its spelling (services/spelling.py) in, probabilities of `labels` out.

    Where spelling alone is sure enough it decides, within half a millisecond; the other messages are encoded.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = {**DEFAULTS, **config}
        self.labels: list[str] = []

    def fit(self, texts: Sequence[str], spellings: Sequence[str], intents: Sequence[str], encoder: CachingEncoder) -> None:
        """Raises ValueError for fewer than three intents."""
        from sklearn.model_selection import train_test_split

        labels, truth = np.unique(intents, return_inverse=True)
        if len(labels) < 3:
            raise ValueError("an intent classifier needs three intents or more")
        config = self._config
        parts = encoder.encode_parts_and_keep(texts)
        self._correction = SpellingCorrection(spellings)
        self._spelling = Spelling(config["C"])
        features = self._spelling.features([self._correction.correct(spelling) for spelling in spellings])
        seen, unseen = train_test_split(np.arange(len(truth)), test_size=config["held_out"], random_state=1, stratify=truth)
        regression = self._spelling.regression(features[seen], truth[seen])
        by_spelling = regression.predict_log_proba(features[unseen])
        by_meaning = self._new_meaning().fit(parts[seen], truth[seen]).read(parts[unseen])
        self.labels = labels.tolist()
        self._weighing = Weighing(self.labels.index(config["outside"]) if config["outside"] in self.labels else None)
        by_neighbours = Neighbours(parts[seen], truth[seen]).log_probabilities(parts[unseen])
        views = Views(by_spelling, by_meaning, by_neighbours)
        self._weighing.fit(views, truth[unseen])
        self._spelling.fit(features, truth, regression)
        self._meaning = self._new_meaning().fit(parts, truth)
        self._neighbours = Neighbours(parts, truth)
        accuracy = (self._weighing.probabilities(views).argmax(axis=1) == truth[unseen]).mean()
        weights = [round(float(weight), 2) for weight in self._weighing.weights]
        log.info("intents trained", examples=len(texts), right_on_unseen_examples=round(float(accuracy), 4), weights=weights)

    def _new_meaning(self) -> Meaning:
        return Meaning(self._config["hidden"], self._config["networks"])

    def probabilities(self, text: str, spelling: str, encoder: CachingEncoder) -> Scores:
        """One number a label; they sum to 1."""
        return self.judge(text, spelling, encoder).probabilities

    def judge(self, text: str, spelling: str, encoder: CachingEncoder) -> Judgement:
        by_spelling = self._spelling.log_probabilities(self._correction.correct(spelling))
        quick = self._weighing.quick(by_spelling)
        likeliest = self.labels[int(quick.argmax())]
        if quick.max() >= self._config["surer"].get(likeliest, self._config["sure"]) and likeliest not in self._config["never_quick"]:
            return Judgement(quick, [likeliest])
        parts = encoder.encode_parts([text])
        views = Views(by_spelling[None], self._meaning.read(parts), self._neighbours.log_probabilities(parts))
        favourites = [self.labels[int(view[0].argmax())] for view in views.log_probabilities]
        return Judgement(np.asarray(self._weighing.probabilities(views)[0]), favourites)
