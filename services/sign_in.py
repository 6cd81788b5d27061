"""Signing in at the desk: by password and second factor, or by the word of an identity provider."""

from __future__ import annotations

from enum import StrEnum

from services.attempts import AttemptLimiter
from services.desk_sessions import DeskSessions, Session
from services.network_addresses import network_of
from services.passwords import hash_of_nobody, hashed, is_outdated, matches
from services.second_factor import SecondFactor
from services.staff import Staff
from store.encryption import Encryption


class NoEntry(StrEnum):
    """Why no session came of an attempt to sign in."""

    REFUSED = "refused"
    """Unknown login, wrong password, disabled account: one answer for all three."""
    CODE_NEEDED = "code_needed"
    PAUSED = "paused"


class SignIn:
    def __init__(
        self, staff: Staff, sessions: DeskSessions, second_factor: SecondFactor, attempts: AttemptLimiter, encryption: Encryption
    ) -> None:
        self._staff = staff
        self._sessions = sessions
        self._second_factor = second_factor
        self._attempts = attempts
        self._encryption = encryption
        self._nobodys_hash = hash_of_nobody()

    def by_password(self, login: str, password: str, code: str, address: str, browser: str) -> Session | NoEntry:
        """A new session, or why there is none.

        Failures count for the pair of login and network, so that a stranger can't lock somebody out from elsewhere, and for the
        network alone, so that nobody tries one password on many logins. Wrong codes count for the login, too, wherever they come
        from: only who knows the password gets so far.
        """
        login, network = login.strip().lower()[:40], network_of(address)
        key = self._encryption.fingerprint
        of_pair, of_network, of_codes = key("desk", login, network), key("desk", network), key("desk-code", login)
        if self._attempts.is_locked(of_pair, of_network):
            return NoEntry.PAUSED
        member = self._staff.find(login=login)
        right = matches(member.password_hash if member else self._nobodys_hash, password)
        if member is None or member.disabled_at or not right:
            self._attempts.record(of_pair, succeeded=False)
            self._attempts.record(of_network, succeeded=False, allowed=50)
            return NoEntry.REFUSED
        if member.totp:
            if self._attempts.is_locked(of_codes):
                return NoEntry.PAUSED
            if not code.strip():
                return NoEntry.CODE_NEEDED
            if not self._second_factor.use(member, code):
                self._attempts.record(of_pair, of_codes, succeeded=False)
                self._attempts.record(of_network, succeeded=False, allowed=50)
                return NoEntry.REFUSED
        self._attempts.record(of_pair, of_codes, succeeded=True)
        if is_outdated(member.password_hash):
            self._staff.change(login, password_hash=hashed(password))
        return self._sessions.open(member, browser)

    def by_provider(self, email: str, login: str, browser: str) -> Session | None:
        """A new session of the account with this e-mail address, or else this login, whom the identity provider has proven.

        None where there is no such account, or it is disabled.
        """
        member = (self._staff.find(email=email) if email else None) or (self._staff.find(login=login) if login else None)
        if member is None or member.disabled_at:
            return None
        return self._sessions.open(member, browser, through="oidc")
