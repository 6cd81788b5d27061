"""Build hook: what the wheel holds beside its packages.

- The start-up file of the Rasa shims, editable or not: a `.pth` file is the only place from which the `rasa` command itself can be
  reached; see bot/rasa_slim.py.
- In a wheel that is no link to a source tree, the files that the program reads, at the places where `services.settings.PROJECT` looks.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

READ_BY_THE_PROGRAM = ("config.yml", "credentials.yml", "data", "domain.yml", "endpoints.yml", "evaluation", "knowledge", "widget")


class WheelFiles(BuildHookInterface):  # type: ignore[type-arg]  # hatchling ships no types for its generics
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        editable = version == "editable"
        included = build_data.setdefault("force_include_editable" if editable else "force_include", {})
        included["bot/rasa_slim.pth"] = "sapa_setneg_rasa_slim.pth"
        if not editable:
            included.update({name: name for name in READ_BY_THE_PROGRAM})
