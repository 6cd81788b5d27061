"""Build hook: puts the start-up file of the Rasa shims into the wheel, editable or not.

A `.pth` file is the only place from which the `rasa` command itself can be reached; see bot/rasa_slim.py.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StartupFile(BuildHookInterface):  # type: ignore[type-arg]  # hatchling ships no types for its generics
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        kind = "force_include_editable" if version == "editable" else "force_include"
        build_data.setdefault(kind, {})["bot/rasa_slim.pth"] = "sapa_setneg_rasa_slim.pth"
