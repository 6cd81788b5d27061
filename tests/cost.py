"""What a call costs, so that text made to be expensive is noticed on a machine that has other work too."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

SHORT, LONG = 10_000, 100_000
# Ten times the text may cost thirty times as much, for machines are noisy; by the square it would be a hundred.
MOST_GROWTH = 30
UNSUSPICIOUS = 0.01


def cpu_seconds(run: Callable[[], object]) -> float:
    """Of this thread alone, and without the collection of garbage that others left."""
    collects = gc.isenabled()
    gc.disable()
    try:
        started = time.thread_time()
        run()
        return time.thread_time() - started
    finally:
        if collects:
            gc.enable()


def costs_in_proportion(reads: Callable[[str], object], piece: str) -> bool:
    """Whether `reads` takes a text of `LONG` characters, made of `piece`, in proportion to one of `SHORT`."""

    def cost(length: int) -> float:
        text = piece * (length // len(piece))
        return cpu_seconds(lambda: reads(text))

    bound = MOST_GROWTH * max(min(cost(SHORT) for _ in range(2)), UNSUSPICIOUS)
    return any(cost(LONG) < bound for _ in range(3))
