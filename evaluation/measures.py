"""The arithmetic of the report: intervals, scores and operating points of outcomes that are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
BINS = 10
THRESHOLDS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Interval = tuple[float, float]


def bootstrap(n: int, measure: Callable[[Rows], float]) -> Interval:
    """95 % interval of `measure`, which is given the places of `n` rows drawn with replacement."""
    random = np.random.default_rng(1)
    values = [measure(random.integers(0, n, n)) for _ in range(RESAMPLES)]
    return float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5))


def share(flags: Flags) -> dict[str, Any]:
    """Number of rows, share of the true ones, and its bootstrap interval; without rows the share is None."""
    if not len(flags):
        return {"n": 0, "share": None, "interval": None}
    return {"n": len(flags), "share": float(flags.mean()), "interval": bootstrap(len(flags), lambda rows: float(flags[rows].mean()))}


def wilson(flags: Flags) -> Interval:
    """95 % interval of a share (Wilson 1927), for few rows or a share near 1: where all are true a bootstrap has no width."""
    z, n, p = NormalDist().inv_cdf(0.975), len(flags), float(flags.mean())
    centre, half = p + z * z / (2 * n), z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))


def small_share(flags: Flags) -> dict[str, Any]:
    """As `share`, of at least one row, with Wilson's interval."""
    return {"n": len(flags), "share": float(flags.mean()), "interval": wilson(flags)}


def by_value(flags: Flags, values: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`small_share` of the rows of each value."""
    column = np.array(values)
    return {value: small_share(flags[column == value]) for value in sorted(set(values))}


def _mean_f1(truth: Rows, predicted: Rows, labels: int) -> float:
    said, taken = np.bincount(truth, minlength=labels), np.bincount(predicted, minlength=labels)
    hits = np.bincount(truth[truth == predicted], minlength=labels)
    return float((2 * hits[said > 0] / (said + taken)[said > 0]).mean())


def macro_f1(truth: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """Mean of the F1 scores of the labels that occur in `truth`, with its bootstrap interval."""
    labels, codes = np.unique([*truth, *predicted], return_inverse=True)
    said, taken = codes[: len(truth)], codes[len(truth) :]
    interval = bootstrap(len(said), lambda rows: _mean_f1(said[rows], taken[rows], len(labels)))
    return {"value": _mean_f1(said, taken, len(labels)), "interval": interval}


def confusion(truth: Sequence[str], predicted: Sequence[str]) -> list[list[Any]]:
    """(said, taken for, times) of what went wrong, the most frequent first."""
    counts = Counter((t, p) for t, p in zip(truth, predicted, strict=True) if t != p)
    return [[*pair, count] for pair, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def reliability(confidence: Floats, right: Flags) -> list[dict[str, Any]]:
    """Of each tenth of the probability that has messages: their mean probability, and `small_share` of those that are right."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [places == b for b in sorted(set(places.tolist()))]
    return [{"confidence": float(confidence[b].mean()), **small_share(right[b])} for b in bins]


def calibration_error(bins: list[dict[str, Any]]) -> float:
    """Expected calibration error of the bins of `reliability`: 0 is perfect."""
    total = sum(b["n"] for b in bins)
    return float(sum(b["n"] / total * abs(b["confidence"] - b["share"]) for b in bins))


def operating_points(inside: Floats, outside: Floats) -> list[dict[str, float]]:
    """How many messages are not acted on as the abstention threshold moves.

    `inside`, `outside`: of messages in scope and out of scope, the probability of the best intent, 0 where that is the one for the
    rest. recall: share of those out of scope under the threshold; lost: share of those in scope.
    """
    return [{"threshold": t, "recall": float((outside < t).mean()), "lost": float((inside < t).mean())} for t in THRESHOLDS]


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """n, p50 and p95."""
    p50, p95 = np.percentile(milliseconds, (50, 95)) if milliseconds else (float("nan"),) * 2
    return {"n": len(milliseconds), "p50": float(p50), "p95": float(p95)}
