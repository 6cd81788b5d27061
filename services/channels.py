"""The switch of each channel: while it is off, citizens there get a ready sentence and nothing is begun."""

from __future__ import annotations

from services.desk_settings import DeskSettings, Name, reason_of

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
        after = self.off() | {channel} if off else self.off() - {channel}
        self._settings.set(Name.CHANNELS, {"off": sorted(after)}, actor, reason_of(reason))
