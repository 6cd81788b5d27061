"""How many turns there were, and how long they took, for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class TurnMeasures:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._turns = Counter("sapa_turns", "Turns of conversations by the status of the answer", ["status"], registry=self.registry)
        self._seconds = Histogram("sapa_turn_seconds", "Time of a turn", registry=self.registry, buckets=BUCKETS)

        self.processes = Gauge("sapa_turn_processes", "Processes that answer, beside the one that listens", registry=self.registry)

    def count(self, facts: Mapping[str, Any]) -> None:
        """A turn whose `facts` go into the log; those of one without the assistant hold no time."""
        self._turns.labels(facts["status"]).inc()
        if "milliseconds" in facts:
            self._seconds.observe(facts["milliseconds"] / 1000)
