"""The conversation log as a table to take along: what a filter finds, masked, one row a conversation or one a message."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice

from services.calendar import JAKARTA
from services.conversation_log import ConversationLog, LogFilter, Summary
from services.spreadsheet import csv_file, xlsx_file

MOST_ROWS = 100_000
"""More than anybody reads, and few enough for one answer."""
PAGE = 500


class Rows(StrEnum):
    CONVERSATIONS = "conversations"
    MESSAGES = "messages"


COLUMNS = {
    Rows.CONVERSATIONS: ("conversation", "channel", "language", "began", "last", "messages", "ticket", "handed_over"),
    Rows.MESSAGES: ("conversation", "number", "at", "from", "text", "intent", "confidence", "status", "topic"),
}
FORMATS = {"csv": csv_file, "xlsx": xlsx_file}


class ConversationExport:
    def __init__(self, log: ConversationLog) -> None:
        self._log = log

    def file(self, form: str, rows: Rows, wanted: LogFilter, staff_id: int) -> bytes:
        """`form` is "csv" or "xlsx". Times are those of Jakarta."""
        table = self._conversations(wanted, staff_id) if rows is Rows.CONVERSATIONS else self._messages(wanted, staff_id)
        return FORMATS[form](COLUMNS[rows], islice(table, MOST_ROWS))

    def _found(self, wanted: LogFilter, staff_id: int) -> Iterator[Summary]:
        before = None
        while page := self._log.search(wanted, staff_id, before=before, limit=PAGE):
            yield from page
            before = (page[-1].last_at, page[-1].id)

    def _conversations(self, wanted: LogFilter, staff_id: int) -> Iterator[tuple[object, ...]]:
        for one in self._found(wanted, staff_id):
            began, last = (moment.astimezone(JAKARTA).isoformat(timespec="seconds") for moment in (one.began_at, one.last_at))
            yield one.id, one.channel, one.language, began, last, one.messages, one.ticket, one.handed_over

    def _messages(self, wanted: LogFilter, staff_id: int) -> Iterator[tuple[object, ...]]:
        for conversation in self._found(wanted, staff_id):
            for one in self._log.whole(conversation.id):
                at = one.at.astimezone(JAKARTA).isoformat(timespec="seconds")
                yield conversation.id, one.seq, at, one.author, one.text, one.intent, one.confidence, one.status, one.topic
