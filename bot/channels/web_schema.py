"""What the web channel answers, for `/openapi.json`. Schemathesis holds the answers to it (tests/test_openapi.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NEWEST = 2**31 - 1
"""The largest number that a message can have."""


class ButtonSchema(BaseModel):
    model_config = ConfigDict(title="Button")
    id: str
    label: str


class SourceSchema(BaseModel):
    model_config = ConfigDict(title="Source")
    title: str
    url: str | None
    checked_on: str


class MessageSchema(BaseModel):
    """`text` may hold `**bold**`, `- lists` and `[links](https://…)`, nothing else."""

    model_config = ConfigDict(title="Message")
    seq: int
    author: Literal["user", "bot", "officer"] = Field(alias="from")
    text: str
    buttons: list[ButtonSchema]
    sources: list[SourceSchema]
    at: datetime
    client_message_id: str | None = Field(None, description="Only of the citizen's own messages.")


class MessagesSchema(BaseModel):
    model_config = ConfigDict(title="Messages")
    messages: list[MessageSchema]


class SessionSchema(BaseModel):
    model_config = ConfigDict(title="Session")
    token: str
    expires_at: datetime
    messages: list[MessageSchema]


class ProblemSchema(BaseModel):
    """RFC 9457; `detail` is a sentence for the citizen in the language of `Accept-Language`."""

    model_config = ConfigDict(title="Problem")
    type: str
    title: str
    status: int
    detail: str
    invalid: list[str] | None = Field(None, description="With 422: where in the request the fault is.")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documents refusals, beside those that any request may get: a foreign page, too often, too large, not now."""
    schema = {"application/problem+json": {"schema": ProblemSchema.model_json_schema()}}
    return {status: {"description": "Problem", "content": schema} for status in (400, 403, 413, 429, 503, *statuses)}
