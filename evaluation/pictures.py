"""The two pictures of the report, as wide as an A4 page: what is taken for what, and whether a probability means what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot
from matplotlib.colors import ListedColormap

WIDTH = 7.1
"""Inches between the margins of an A4 page."""
TITLES = {"development": "Development", "held_out": "Held out"}
LOOKS = {"development": ("#0072B2", "o", "-"), "held_out": ("#D55E00", "s", "--")}
"""Colour (Okabe and Ito's, told apart by the colour-blind), marker and line."""
SIZES = {"font.size": 8, "axes.titlesize": 9, "axes.labelsize": 8, "xtick.labelsize": 6.5, "ytick.labelsize": 6.5, "savefig.dpi": 200}


def confusion(groups: dict[str, dict[str, Any]], path: Path) -> None:
    """One matrix a group, of the intents that were confused in either; right answers are left out, they are nearly all."""
    pairs = [pair for group in groups.values() for pair in group["intents"]["confusion"]]
    said = sorted({truth for truth, _, _ in pairs}) or [""]
    taken = sorted({predicted for _, predicted, _ in pairs}) or [""]
    most = max([count for _, _, count in pairs], default=1)
    with pyplot.rc_context(SIZES):
        height = 1.6 + 0.17 * len(said)
        figure, axes = pyplot.subplots(1, len(groups), figsize=(WIDTH, height), sharey=True, layout="constrained", squeeze=False)
        for axis, (name, group) in zip(axes[0], groups.items(), strict=True):
            _matrix(axis, group["intents"]["confusion"], said, taken, most)
            axis.set_title(f"{TITLES[name]}, {group['intents']['accuracy']['n']} messages")
            axis.set_xlabel("taken for")
        axes[0, 0].set_ylabel("said")
        figure.savefig(path)
        pyplot.close(figure)


def _matrix(axis: Any, pairs: list[list[Any]], said: list[str], taken: list[str], most: int) -> None:
    counts = np.zeros((len(said), len(taken)))
    for truth, predicted, count in pairs:
        counts[said.index(truth), taken.index(predicted)] = count
    shades = ListedColormap(pyplot.get_cmap("Blues")(np.linspace(0, 0.9, 256)))
    axis.imshow(counts, cmap=shades, vmin=0, vmax=most, aspect="auto")
    for row, column in np.argwhere(counts > 0):
        colour = "white" if counts[row, column] > most / 2 else "black"
        axis.text(column, row, int(counts[row, column]), ha="center", va="center", color=colour, fontsize=6.5)
    axis.set_xticks(range(len(taken)), taken, rotation=90)
    axis.set_yticks(range(len(said)), said)
    axis.set_xticks(np.arange(len(taken) + 1) - 0.5, minor=True)
    axis.set_yticks(np.arange(len(said) + 1) - 0.5, minor=True)
    axis.grid(which="minor", color="#dddddd", linewidth=0.4)
    axis.tick_params(which="both", length=0)


def reliability(groups: dict[str, dict[str, Any]], path: Path) -> None:
    """Above, how often the best intent is right at each tenth of its probability; below, how many messages lie there."""
    with pyplot.rc_context(SIZES):
        figure, (above, below) = pyplot.subplots(2, 1, figsize=(WIDTH, 5.2), sharex=True, height_ratios=(3, 1), layout="constrained")
        above.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, linestyle=":", label="a probability that means what it says")
        for place, (name, group) in enumerate(groups.items()):
            bins = group["intents"]["reliability"]
            confidence, right = [b["confidence"] for b in bins], np.array([b["share"] for b in bins])
            low, high = np.array([b["interval"] for b in bins]).T
            colour, marker, line = LOOKS[name]
            error = group["intents"]["calibration_error"]
            label = f"{TITLES[name]} (expected calibration error {error:.3f})"
            above.errorbar(
                confidence,
                right,
                (np.maximum(right - low, 0), np.maximum(high - right, 0)),  # a share of 1 has a bound of 0.999…
                color=colour,
                marker=marker,
                linestyle=line,
                markersize=5,
                linewidth=1.2,
                elinewidth=0.7,
                capsize=2,
                label=label,
            )
            centres = [min(int(10 * c), 9) / 10 + 0.03 + 0.04 * place for c in confidence]
            bars = below.bar(
                centres, [b["n"] for b in bins], width=0.035, color=colour, hatch="//" if place else "", edgecolor="white"
            )
            below.bar_label(bars, fontsize=6)
        above.set_ylabel("share that is right, with 95 % interval")
        above.legend(loc="lower right", frameon=False)
        above.set_ylim(0, 1.03)
        below.set_yscale("log")
        below.set_ylim(0.7, 5000)
        below.set_ylabel("messages")
        below.set_xlabel("probability of the best intent")
        below.set_xticks(np.linspace(0, 1, 11))
        below.set_xlim(0, 1)
        figure.savefig(path)
        pyplot.close(figure)
