"""Rasa's graph, run without Dask."""

from __future__ import annotations

from rasa.core.channels.channel import UserMessage
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.trackers import DialogueStateTracker

from bot.assistant import Assistant
from bot.graph_runner import DirectRunner


def test_the_direct_runner_gives_what_dask_gives(assistant: Assistant) -> None:
    processor = assistant._agent.processor
    direct = processor.graph_runner
    assert isinstance(direct, DirectRunner)
    dask = object.__new__(DaskGraphRunner)
    dask._graph_schema, dask._instantiated_nodes, dask._execution_context = direct._schema, direct._nodes, None
    target = processor.model_metadata.nlu_target
    for text in ("halo", "berapa lama izin PDLN diproses", "saya mau cek status SIMPEL DEMO-SMP-000101"):
        tracker = DialogueStateTracker.from_events("nobody", [])
        results = [
            runner.run({"__message__": [UserMessage(text)], "__tracker__": tracker}, [target])[target][0] for runner in (direct, dask)
        ]
        for part in ("intent", "intent_ranking", "entities"):
            assert results[0].get(part) == results[1].get(part)
        assert results[0].get("intent")["confidence"] > 0
