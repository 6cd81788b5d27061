from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pyotp
import pytest
from argon2 import PasswordHasher

from services.assembly import Services
from services.attempts import AttemptLimiter
from services.audit import AuditFilter, AuditLog
from services.desk_sessions import DeskSessions
from services.passwords import is_outdated
from services.permissions import Role
from services.second_factor import SecondFactor
from services.sign_in import SignIn
from services.staff import Problem, Staff, StaffRefused
from tests.clock import Clock
from tests.desk.conftest import PASSWORD


async def test_signing_in_leads_to_the_page_that_was_wanted(sign_in, client) -> None:
    await sign_in(Role.ADMIN, "sari")
    to_sign_in = await client.get("/desk/audit?actor=sari")
    assert to_sign_in.headers["location"] == "/desk/sign-in?next=%2Fdesk%2Faudit%3Factor%3Dsari"
    data = {"login": "Sari ", "password": PASSWORD, "next": "/desk/audit?actor=sari"}
    assert (await client.post("/desk/sign-in", data=data)).headers["location"] == "/desk/audit?actor=sari"


@pytest.mark.parametrize("elsewhere", ["https://example.org", "//example.org", "/desk/../chat?//x", "/deskx", "/desk\\@example.org"])
async def test_signing_in_leads_nowhere_outside_the_desk(elsewhere: str, sign_in, client) -> None:
    await sign_in(Role.ADMIN, "sari")
    data = {"login": "sari", "password": PASSWORD, "next": elsewhere}
    assert (await client.post("/desk/sign-in", data=data)).headers["location"] == "/desk/overview"


async def test_unknown_login_and_wrong_password_get_the_same_answer(sign_in, client) -> None:
    await sign_in(Role.OFFICER, "budi")
    pages = [
        (await client.post("/desk/sign-in", data={"login": login, "password": "salah salah salah"})).text.replace(login, "")
        for login in ("budi", "tidakada")
    ]
    assert pages[0] == pages[1]


async def test_a_cookie_over_https_is_bound_to_the_host(sign_in, client) -> None:
    await sign_in(Role.OFFICER, "budi")
    response = await client.post("https://sapa.test/desk/sign-in", data={"login": "budi", "password": PASSWORD})
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-sapa_desk=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


def test_guessing_pauses_one_address_and_not_the_owner(services: Services) -> None:
    services.staff.add("budi", "Budi", Role.OFFICER, "uji", PASSWORD)
    for _ in range(5):
        assert services.sign_in.by_password("budi", "tebakan salah", "", "203.0.113.9", "") == "refused"
    assert services.sign_in.by_password("budi", PASSWORD, "", "203.0.113.9", "") == "paused"
    assert services.sign_in.by_password("budi", PASSWORD, "", "198.51.100.7", "").login == "budi"


def test_one_address_cannot_try_many_logins(services: Services) -> None:
    for number in range(50):
        services.sign_in.by_password(f"orang{number}", PASSWORD, "", "203.0.113.9", "")
    assert services.sign_in.by_password("orang99", PASSWORD, "", "203.0.113.9", "") == "paused"


def test_guessing_pauses_the_whole_line_and_not_the_one_beside_it(services: Services) -> None:
    services.staff.add("budi", "Budi", Role.OFFICER, "uji", PASSWORD)
    for number in range(5):
        assert services.sign_in.by_password("budi", "tebakan salah", "", f"2001:db8:1:2::{number}", "") == "refused"
    assert services.sign_in.by_password("budi", PASSWORD, "", "2001:db8:1:2:ffff::9", "") == "paused"
    assert services.sign_in.by_password("budi", PASSWORD, "", "2001:db8:1:3::9", "").login == "budi"


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-23 10:00")


@dataclass
class Desk:
    """Accounts and sign-in by the clock of the test, with one member, Budi."""

    staff: Staff
    sessions: DeskSessions
    second_factor: SecondFactor
    door: SignIn
    audit: AuditLog

    def enter(self, login: str = "budi", code: str = "", password: str = PASSWORD, address: str = "a") -> Any:
        return self.door.by_password(login, password, code, address, "")

    def recorded(self, action: str) -> tuple[str, str, dict[str, Any]]:
        """Who did it to whom, and what else the audit log says of the only time."""
        (entry,) = self.audit.search(AuditFilter(action=action))
        return entry.actor, entry.subject, entry.data


@pytest.fixture
def desk(services: Services, clock: Clock) -> Desk:
    database, encryption, audit = services.database, services.encryption, services.audit
    sessions = DeskSessions(database, audit, clock)
    staff = Staff(database, audit, sessions, clock)
    second_factor = SecondFactor(database, encryption, audit, staff, clock)
    staff.add("budi", "Budi", Role.OFFICER, "uji", PASSWORD)
    return Desk(staff, sessions, second_factor, SignIn(staff, sessions, second_factor, AttemptLimiter(database), encryption), audit)


def test_an_idle_session_ends_after_half_an_hour_and_a_used_one_after_twelve_hours(desk: Desk, clock: Clock) -> None:
    token = desk.enter().token
    for _ in range(24):
        clock.forward(minutes=29)
        assert desk.sessions.find(token)
    clock.forward(minutes=29)
    assert desk.sessions.find(token) is None
    token = desk.enter().token
    clock.forward(minutes=31)
    assert desk.sessions.find(token) is None


@pytest.mark.parametrize(
    ("sent", "page"),
    [
        ("/desk/tickets/ASP-20261123-AB2C/answer", "/desk/tickets/ASP-20261123-AB2C"),
        ("/desk/queue/7/say", "/desk/queue/7"),
        ("/desk/settings/retention", "/desk/settings/retention"),
        ("/desk/account/sessions/3/end", "/desk/account"),
        ("/desk/sign-out", ""),
    ],
)
async def test_a_form_that_comes_after_the_session_leads_back_to_its_page(sign_in, sent: str, page: str) -> None:
    officer = await sign_in(Role.ADMIN)
    officer.client.cookies.clear()
    to_sign_in = await officer.sends(sent)
    assert to_sign_in.headers["location"] == "/desk/sign-in" + (f"?next={quote(page, safe='')}" if page else "")


def test_what_an_open_page_asks_by_itself_keeps_no_session_going(desk: Desk, clock: Clock) -> None:
    token = desk.enter().token
    clock.forward(minutes=29)
    assert desk.sessions.find(token, by_itself=True)
    clock.forward(minutes=2)
    assert desk.sessions.find(token) is None


def test_changing_the_password_ends_the_other_sessions(desk: Desk) -> None:
    here, there = (desk.enter() for _ in range(2))
    desk.staff.change_password(here, PASSWORD, "teh melati sore hari")
    assert desk.sessions.find(here.token)
    assert desk.sessions.find(there.token) is None
    assert not desk.staff.get("budi").password_is_temporary


def test_whoever_does_not_know_the_old_password_cannot_change_it(desk: Desk) -> None:
    session = desk.enter()
    with pytest.raises(StaffRefused) as refused:
        desk.staff.change_password(session, "bukan kata sandinya", "teh melati sore hari")
    assert refused.value.problem is Problem.WRONG_PASSWORD
    assert desk.enter().login == "budi"


def test_a_password_that_was_reset_leaves_a_temporary_one_and_ends_sessions_and_second_factor(desk: Desk, clock: Clock) -> None:
    session, secret = desk.enter(), desk.second_factor.new_secret()
    desk.second_factor.start(session, secret, pyotp.TOTP(secret).at(clock()))
    password = desk.staff.reset_password("budi", "bos")
    assert desk.sessions.find(session.token) is None
    assert desk.enter() == "refused"
    assert desk.enter(password=password).password_is_temporary
    assert desk.recorded("staff.password_reset") == ("bos", "budi", {})


def test_a_hash_of_weaker_times_is_made_anew_at_the_next_sign_in(desk: Desk) -> None:
    desk.staff.change("budi", password_hash=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD))
    assert is_outdated(desk.staff.get("budi").password_hash)
    assert desk.enter().login == "budi"
    assert not is_outdated(desk.staff.get("budi").password_hash)
    assert desk.enter().login == "budi"


def test_a_token_that_was_never_given_out_is_no_session(desk: Desk) -> None:
    assert desk.sessions.find(f"{desk.enter().token}x") is None


def test_disabling_an_account_ends_its_sessions_at_once_until_it_is_enabled_again(desk: Desk) -> None:
    session = desk.enter()
    desk.staff.disable("budi", "uji")
    assert desk.sessions.find(session.token) is None
    assert desk.enter() == "refused"
    desk.staff.enable("budi", "bos")
    assert desk.enter().login == "budi"
    assert desk.recorded("staff.enabled") == ("bos", "budi", {})


def test_a_new_role_holds_at_once_and_is_recorded(desk: Desk) -> None:
    session = desk.enter()
    desk.staff.set_role("budi", Role.PPID, "bos")
    found = desk.sessions.find(session.token)
    assert found is not None
    assert found.role is Role.PPID
    assert desk.recorded("staff.role") == ("bos", "budi", {"role": "ppid"})


def test_an_account_that_is_not_there_cannot_be_changed(desk: Desk) -> None:
    with pytest.raises(LookupError):
        desk.staff.reset_password("tidakada", "bos")
    assert desk.audit.search(AuditFilter(subject="tidakada")) == []


def test_the_desk_has_nobody_until_the_first_account_is_made(services: Services) -> None:
    assert not services.staff.any()
    services.staff.add("budi", "Budi", Role.OFFICER, "uji", PASSWORD)
    assert services.staff.any()


def test_the_last_administrator_can_be_neither_disabled_nor_demoted(desk: Desk) -> None:
    desk.staff.add("bos", "Bos", Role.ADMIN, "uji", PASSWORD)
    for act in (lambda: desk.staff.disable("bos", "uji"), lambda: desk.staff.set_role("bos", Role.READER, "uji")):
        with pytest.raises(StaffRefused) as refused:
            act()
        assert refused.value.problem is Problem.LAST_ADMIN


def test_of_two_administrators_who_demote_each_other_at_once_one_is_left(desk: Desk) -> None:
    both = ["ani", "bos"]
    for login in both:
        desk.staff.add(login, "Admin", Role.ADMIN, "uji", PASSWORD)
    for _ in range(10):
        with ThreadPoolExecutor(2) as at_once:
            done = [at_once.submit(desk.staff.set_role, login, Role.READER, "uji") for login in both]
        assert sum(isinstance(one.exception(), StaffRefused) for one in done) == 1
        for login in both:
            desk.staff.set_role(login, Role.ADMIN, "uji")


def test_who_has_to_administer_beside_the_first_one_is_promoted_and_the_first_can_step_back(desk: Desk) -> None:
    desk.staff.add("bos", "Bos", Role.ADMIN, "uji", PASSWORD)
    desk.staff.set_role("budi", Role.ADMIN, "bos")
    desk.staff.set_role("bos", Role.READER, "budi")
    assert [desk.staff.get(login).role for login in ("budi", "bos")] == [Role.ADMIN, Role.READER]


def test_nobody_ends_somebody_elses_session(desk: Desk) -> None:
    desk.staff.add("ani", "Ani", Role.OFFICER, "uji", PASSWORD)
    budi, ani = (desk.enter(login) for login in ("budi", "ani"))
    desk.sessions.end(ani.staff_id, budi.id)
    assert desk.sessions.find(budi.token)


def test_a_second_factor_is_asked_for_and_its_code_works_once(desk: Desk, clock: Clock) -> None:
    session = desk.enter()
    secret = desk.second_factor.new_secret()
    with pytest.raises(StaffRefused):
        desk.second_factor.start(session, secret, "000000" if pyotp.TOTP(secret).at(clock()) != "000000" else "111111")
    recovery = desk.second_factor.start(session, secret, pyotp.TOTP(secret).at(clock()))
    assert desk.enter() == "code_needed"
    clock.forward(minutes=1)
    code = pyotp.TOTP(secret).at(clock())
    assert desk.enter(code=f"{code[:3]} {code[3:]}").login == "budi"
    assert desk.enter(code=code) == "refused"
    assert desk.enter(code=recovery[0].upper()).login == "budi"
    assert desk.enter(code=recovery[0]) == "refused"
    budi = desk.staff.get("budi")
    for code in recovery[1:]:
        with ThreadPoolExecutor(4) as at_once:
            used = [at_once.submit(desk.second_factor.use, budi, code) for _ in range(4)]
        assert [one.result() for one in used].count(True) == 1, "nor for two who use it in the same instant"


def with_second_factor(desk: Desk, clock: Clock) -> str:
    """Budi puts it into use; its secret."""
    secret = desk.second_factor.new_secret()
    desk.second_factor.start(desk.enter(), secret, pyotp.TOTP(secret).at(clock()))
    clock.forward(minutes=1)
    return secret


def test_codes_of_an_account_are_guessed_five_times_from_however_many_addresses(desk: Desk, clock: Clock) -> None:
    secret = with_second_factor(desk, clock)
    for number in range(5):
        assert desk.enter(code="abc", address=f"203.0.113.{number}") == "refused"
    assert desk.enter(code=pyotp.TOTP(secret).at(clock()), address="198.51.100.7") == "paused"
    assert desk.enter(address="198.51.100.8") == "paused"
    assert desk.enter(password="tebakan salah", address="198.51.100.9") == "refused"


def test_a_right_code_forgets_the_wrong_ones_before_it(desk: Desk, clock: Clock) -> None:
    secret = with_second_factor(desk, clock)
    for _ in range(2):
        for number in range(4):
            assert desk.enter(code="abc", address=f"203.0.113.{number}") == "refused"
        assert desk.enter(code=pyotp.TOTP(secret).at(clock())).login == "budi"
        clock.forward(minutes=1)


def test_who_does_not_know_the_password_uses_up_no_guess_of_a_code(desk: Desk, clock: Clock) -> None:
    with_second_factor(desk, clock)
    for number in range(6):
        assert desk.enter(code="abc", password="tebakan salah", address=f"203.0.113.{number}") == "refused"
    assert desk.enter() == "code_needed"


def test_a_wrong_code_counts_for_the_address_too(desk: Desk, clock: Clock, services: Services) -> None:
    with_second_factor(desk, clock)
    for _ in range(49):
        services.sign_in._attempts.record(services.encryption.fingerprint("desk", "a"), succeeded=False, allowed=50)
    assert desk.enter(code="abc") == "refused"
    assert desk.enter() == "paused"


def test_only_the_password_takes_a_second_factor_off(desk: Desk, clock: Clock) -> None:
    session, secret = desk.enter(), desk.second_factor.new_secret()
    desk.second_factor.start(session, secret, pyotp.TOTP(secret).at(clock()))
    with pytest.raises(StaffRefused) as refused:
        desk.second_factor.stop(session, "bukan kata sandinya")
    assert refused.value.problem is Problem.WRONG_PASSWORD
    assert desk.enter() == "code_needed"
    desk.second_factor.stop(session, PASSWORD)
    assert desk.enter().login == "budi"
    assert desk.recorded("staff.totp_stopped") == ("budi", "budi", {})


@pytest.mark.parametrize(
    ("login", "password", "problem"),
    [
        ("b", PASSWORD, Problem.LOGIN_FORM),
        ("budi dua", PASSWORD, Problem.LOGIN_FORM),
        ("budi", PASSWORD, Problem.LOGIN_TAKEN),
        ("ani", "pendek", Problem.PASSWORD_LENGTH),
        ("sari", "namaku sari sekali", Problem.PASSWORD_IS_LOGIN),
    ],
)
def test_an_account_is_refused_with_its_reason(login: str, password: str, problem: Problem, desk: Desk) -> None:
    with pytest.raises(StaffRefused) as refused:
        desk.staff.add(login, "Nama", Role.OFFICER, "uji", password)
    assert refused.value.problem is problem


@pytest.mark.parametrize("name", ["", "  ", "a" * 81])
def test_an_account_has_a_name_of_1_to_80_characters(name: str, desk: Desk) -> None:
    with pytest.raises(StaffRefused) as refused:
        desk.staff.add("ani", name, Role.OFFICER, "uji", PASSWORD)
    assert refused.value.problem is Problem.NAME_LENGTH


async def test_the_second_factor_is_set_up_in_the_browser(sign_in) -> None:
    officer = await sign_in(Role.OFFICER)
    page = (await officer.sends("/desk/account/totp/begin")).text
    secret = page.split('name="secret" value="')[1].split('"')[0]
    assert '<img src="data:image/svg+xml' in page
    assert f"secret={secret}" not in page, "an address is kept by browsers and proxies"
    wrong = await officer.sends("/desk/account/totp/start", secret=secret, code="abc")
    assert wrong.status_code == 422
    assert secret in wrong.text
    done = await officer.sends("/desk/account/totp/start", secret=secret, code=pyotp.TOTP(secret).now())
    assert "Kode pemulihan" in done.text
