"""What one turn of a conversation knows beyond what may be stored: the message as typed, and values shown but never logged.

The channel side opens a turn, actions running inside it read and fill it. Where no turn is open (`rasa shell`,
`rasa run actions`), `current` gives one made of the tracker's own text.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from services.follow_ups import LastSaid


class AnswerStatus(StrEnum):
    ANSWERED = "answered"
    NOT_KNOWN = "not_known"
    ASKED_AGAIN = "asked_again"
    ABSTAINED = "abstained"
    DECLINED = "declined"
    IN_FORM = "in_form"
    FAILED = "failed"
    HANDED_OVER = "handed_over"
    CRISIS = "crisis"
    SMALL_TALK = "small_talk"


UNANSWERED = frozenset({AnswerStatus.NOT_KNOWN, AnswerStatus.ASKED_AGAIN, AnswerStatus.ABSTAINED, AnswerStatus.FAILED})
"""A citizen asked something and got no answer to it."""


def plain(text: str) -> str:
    """`text` without the characters that our messages use as markup, so that a citizen's words stay words."""
    return text.replace("*", "").replace("[", "(").replace("]", ")")


@dataclass
class Turn:
    conversation_id: str
    text: str
    """The message as the citizen typed it; lives only in memory."""
    hidden: dict[str, str] = field(default_factory=dict)
    """Stand-in to real value: what the citizen sees and no log, tracker or officer's list does."""
    is_command: bool = False
    """A button that the server issued stands for an intent; its label is nobody's answer to a form's question."""
    status: AnswerStatus = AnswerStatus.SMALL_TALK
    topic: str | None = None
    entry: str | None = None
    failed: bool = False
    """An action failed or was late; the citizen gets an apology with a reference number."""
    interrupted: bool = False
    """The database was away in an action, or another process has the turn now: the same message may succeed when it is sent again."""
    finished: list[str] = field(default_factory=list)
    """Journeys that this turn has ended. Their drafts go when the answer is stored, and not before: should it be lost, the same
    message makes it again of the same draft."""
    asks: bool = False
    """The answer ends in a question of its own, so the open question of a form has to wait."""
    follows: LastSaid | None = None
    """What was said before, where the message leans on it."""
    denies: bool = False
    """The citizen says that there is no danger, or none any more."""
    shortened: bool = False
    """`text` is a part of what was sent, which is too long or can't be read: no value of a form."""
    forgets: bool = False
    """The citizen asked for the conversation's deletion; it is done before the answer says so."""

    def hide(self, label: str, value: str) -> str:
        """A stand-in such as `[nama]` to put into a message in place of `value`."""
        value = plain(value)
        stand_in = f"[{label}]"
        number = 2
        while self.hidden.get(stand_in, value) != value:
            stand_in, number = f"[{label} {number}]", number + 1
        self.hidden[stand_in] = value
        return stand_in


CURRENT: ContextVar[Turn | None] = ContextVar("turn", default=None)


def current(conversation_id: str, tracker_text: str) -> Turn:
    """The open turn, or one that knows only what the tracker holds."""
    return CURRENT.get() or Turn(conversation_id, tracker_text)
