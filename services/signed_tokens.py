"""Tokens that only the server can make, which are valid for some time after they were made."""

from __future__ import annotations

from typing import Any

from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer


class _Signer(TimestampSigner):
    """A token from the future is valid: a clock was set back since, or that of another host is ahead. Nobody else can sign one."""

    def unsign(self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        try:
            return super().unsign(signed_value, max_age, return_timestamp)  # type: ignore[call-overload]  # by either kind of answer
        except SignatureExpired as error:
            if error.date_signed is None or error.date_signed.timestamp() <= self.get_timestamp():
                raise
            return super().unsign(signed_value, None, return_timestamp)  # type: ignore[call-overload]  # as above


class SignedTokens(URLSafeTimedSerializer):
    """`loads(token, max_age=seconds)` raises `itsdangerous.SignatureExpired` for one that is too old, `BadSignature` for any other."""

    default_signer = _Signer
