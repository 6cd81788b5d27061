"""The switch of each channel: while it is off, citizens there get a ready sentence and nothing is begun."""

from __future__ import annotations

from typing import Any

from services.desk_settings import DeskSettings, Name, Value, reason_of

CHANNELS = ("web", "telegram")


class Channels:
    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings

    def is_off(self, channel: str) -> bool:
        return channel in self.off()

    def off(self) -> frozenset[str]:
        return frozenset((self._settings.get(Name.CHANNELS) or {}).get("off", ()))

    def switch(self, channel: str, *, off: bool, actor: str, reason: str) -> None:
        """Raises KeyError for an unknown channel, `ReasonMissing` without a written reason."""
        if channel not in CHANNELS:
            raise KeyError(channel)

        def switched(before: Value) -> dict[str, Any]:
            others = set((before or {}).get("off", ())) - {channel}
            return {"off": sorted({*others, channel} if off else others)}

        self._settings.change(Name.CHANNELS, switched, actor, reason_of(reason))
