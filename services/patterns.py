"""Regular expressions that are read from word lists."""

from __future__ import annotations

import re
from collections.abc import Iterable

NEVER = re.compile(r"(?!)")
"""Matches nothing."""


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """What matches where one of the patterns does; nothing for none."""
    return re.compile("|".join(f"(?:{one})" for one in patterns) or NEVER.pattern)
