"""What a message costs in each component: processor time of the one thread that does the work, in milliseconds.

Processor time and not the time that passes, so that other work on the machine changes it little. A message is timed once, and none
of them has been encoded or mended before: run this before anything else reads the files.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.assistant import Assistant
from evaluation.groups import GROUPS, Group
from evaluation.measures import percentiles
from services.assembly import shared_encoder
from services.knowledge import Knowledge

WARM_UP = ("halo, selamat pagi semuanya", "apa saja dokumen yang perlu dibawa untuk berkunjung?", "can you tell me more about it")


def measure(assistant: Assistant, knowledge: Knowledge) -> dict[str, dict[str, dict[str, float]]]:
    """Of each group and component: n, p50, p95."""
    nodes = loaded_components(assistant)
    for text in WARM_UP:
        assistant.understand(text)
        knowledge.find(text)
    return {
        name: {part: percentiles(taken) for part, taken in _times(group, assistant, knowledge, nodes).items()}
        for name, group in GROUPS.items()
    }


def loaded_components(assistant: Assistant) -> dict[str, Any]:
    """Our components of the loaded model by the name of their class."""
    nodes = assistant._agent.processor.graph_runner._nodes.values()
    return {type(node._component).__name__: node._component for node in nodes}


def milliseconds(work: Callable[..., Any], *arguments: Any) -> float:
    """Processor time that this thread spends on a call of `work`."""
    started = time.thread_time()
    work(*arguments)
    return 1000 * (time.thread_time() - started)


def _is_encoded(text: str) -> bool:
    encoder = shared_encoder()
    return encoder._key(text) in encoder._memory


def _times(group: Group, assistant: Assistant, knowledge: Knowledge, nodes: dict[str, Any]) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = defaultdict(list)
    texts = list(dict.fromkeys(row["text"] for row in group.intents))
    for text in texts[::2]:  # the other half is timed as a whole: a text timed twice would be known the second time
        message = Message({TEXT: text})
        taken["Normaliser"].append(milliseconds(nodes["Normaliser"].process, [message]))
        taken["IntentClassifier"].append(milliseconds(nodes["IntentClassifier"].process, [message]))
        taken["EntityExtractor"].append(milliseconds(nodes["EntityExtractor"].process, [message]))
    for text in texts[1::2]:
        taken["whole understanding (`Assistant.understand`)"].append(milliseconds(assistant.understand, text))
    for text in dict.fromkeys(row["text"] for row in group.topics):
        spent = milliseconds(knowledge.find, text)
        taken[f"knowledge search, {'encoded' if _is_encoded(text) else 'quick'}"].append(spent)
    return dict(sorted(taken.items(), key=lambda item: PARTS.index(item[0])))


PARTS = [
    "Normaliser",
    "IntentClassifier",
    "EntityExtractor",
    "whole understanding (`Assistant.understand`)",
    "knowledge search, quick",
    "knowledge search, encoded",
]
"""The rows of the table. quick: found by spelling alone; encoded: with the sentence vector."""
