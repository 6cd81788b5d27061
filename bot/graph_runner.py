"""Runs a trained graph node by node in the calling thread.

Rasa hands every prediction to Dask, which plans the same handful of nodes anew each time. A turn predicts at least twice, so
the plan is made once here and followed.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage


class DirectRunner(GraphRunner):
    def __init__(self, schema: GraphSchema, nodes: dict[str, GraphNode]) -> None:
        self._schema = schema
        self._nodes = nodes
        self._plans: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> DirectRunner:
        return cls.in_place_of(DaskGraphRunner.create(graph_schema, model_storage, execution_context, hooks))

    @classmethod
    def in_place_of(cls, runner: DaskGraphRunner) -> DirectRunner:
        """A runner of the nodes that `runner` has loaded."""
        return cls(runner._graph_schema, runner._instantiated_nodes)

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """The output of each target. `inputs` are named like the placeholders that the nodes need."""
        wanted = tuple(targets or self._schema.target_names)
        done: dict[str, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
        for name, needs in self._plan(wanted):
            done[name] = self._nodes[name](*(done.get(need, need) for need in needs))
        return {name: done[name][1] for name in wanted}

    def _plan(self, targets: tuple[str, ...]) -> list[tuple[str, list[str]]]:
        """The nodes that `targets` need, each after those it needs, with the names of its inputs."""
        if targets not in self._plans:
            needs = {name: list(node.needs.values()) for name, node in self._schema.minimal_graph_schema(list(targets)).nodes.items()}
            order = TopologicalSorter(needs).static_order()
            self._plans[targets] = [(name, needs[name]) for name in order if name in needs]
        return self._plans[targets]
