"""What services raise where a rule says no to what staff or a citizen ask for."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

P = TypeVar("P", bound=StrEnum)


class Refused(Exception, Generic[P]):
    """`problem` names the sentence that says why; each service has its own list of them."""

    def __init__(self, problem: P) -> None:
        super().__init__(problem.value)
        self.problem = problem
