from __future__ import annotations

import pyotp
import pytest

from services.assembly import Services
from services.staff import Problem, Role, Staff, StaffRefused
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
        assert services.staff.sign_in("budi", "tebakan salah", "", "203.0.113.9", "") == "refused"
    assert services.staff.sign_in("budi", PASSWORD, "", "203.0.113.9", "") == "paused"
    assert services.staff.sign_in("budi", PASSWORD, "", "198.51.100.7", "").login == "budi"


def test_one_address_cannot_try_many_logins(services: Services) -> None:
    for number in range(50):
        services.staff.sign_in(f"orang{number}", PASSWORD, "", "203.0.113.9", "")
    assert services.staff.sign_in("orang99", PASSWORD, "", "203.0.113.9", "") == "paused"


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-23 10:00")


@pytest.fixture
def staff(services: Services, clock: Clock) -> Staff:
    made = Staff(services.database, services.encryption, services.audit, services.staff._attempts, clock)
    made.add("budi", "Budi", Role.OFFICER, "uji", PASSWORD)
    return made


def test_an_idle_session_ends_after_half_an_hour_and_a_used_one_after_twelve_hours(staff: Staff, clock: Clock) -> None:
    token = staff.sign_in("budi", PASSWORD, "", "a", "").token
    for _ in range(24):
        clock.forward(minutes=29)
        assert staff.session(token)
    clock.forward(minutes=29)
    assert staff.session(token) is None
    token = staff.sign_in("budi", PASSWORD, "", "a", "").token
    clock.forward(minutes=31)
    assert staff.session(token) is None


def test_changing_the_password_ends_the_other_sessions(staff: Staff) -> None:
    here, there = (staff.sign_in("budi", PASSWORD, "", "a", "") for _ in range(2))
    staff.change_password(here, PASSWORD, "teh melati sore hari")
    assert staff.session(here.token)
    assert staff.session(there.token) is None
    assert not staff.get("budi").password_is_temporary


def test_disabling_an_account_ends_its_sessions_at_once(staff: Staff) -> None:
    session = staff.sign_in("budi", PASSWORD, "", "a", "")
    staff.disable("budi", "uji")
    assert staff.session(session.token) is None
    assert staff.sign_in("budi", PASSWORD, "", "a", "") == "refused"


def test_the_last_administrator_can_be_neither_disabled_nor_demoted(staff: Staff) -> None:
    staff.add("bos", "Bos", Role.ADMIN, "uji", PASSWORD)
    for act in (lambda: staff.disable("bos", "uji"), lambda: staff.set_role("bos", Role.READER, "uji")):
        with pytest.raises(StaffRefused) as refused:
            act()
        assert refused.value.problem is Problem.LAST_ADMIN


def test_nobody_ends_somebody_elses_session(staff: Staff) -> None:
    staff.add("ani", "Ani", Role.OFFICER, "uji", PASSWORD)
    budi, ani = (staff.sign_in(login, PASSWORD, "", "a", "") for login in ("budi", "ani"))
    staff.end_session(ani.staff_id, budi.id)
    assert staff.session(budi.token)


def test_a_second_factor_is_asked_for_and_its_code_works_once(staff: Staff, clock: Clock) -> None:
    session = staff.sign_in("budi", PASSWORD, "", "a", "")
    secret = staff.new_totp_secret()
    with pytest.raises(StaffRefused):
        staff.start_totp(session, secret, "000000" if pyotp.TOTP(secret).at(clock()) != "000000" else "111111")
    recovery = staff.start_totp(session, secret, pyotp.TOTP(secret).at(clock()))
    assert staff.sign_in("budi", PASSWORD, "", "a", "") == "code_needed"
    clock.forward(minutes=1)
    code = pyotp.TOTP(secret).at(clock())
    assert staff.sign_in("budi", PASSWORD, f"{code[:3]} {code[3:]}", "a", "").login == "budi"
    assert staff.sign_in("budi", PASSWORD, code, "a", "") == "refused"
    assert staff.sign_in("budi", PASSWORD, recovery[0].upper(), "a", "").login == "budi"
    assert staff.sign_in("budi", PASSWORD, recovery[0], "a", "") == "refused"


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
def test_an_account_is_refused_with_its_reason(login: str, password: str, problem: Problem, staff: Staff) -> None:
    with pytest.raises(StaffRefused) as refused:
        staff.add(login, "Nama", Role.OFFICER, "uji", password)
    assert refused.value.problem is problem


async def test_the_second_factor_is_set_up_in_the_browser(sign_in) -> None:
    officer = await sign_in(Role.OFFICER)
    page = (await officer.sends("/desk/account/totp/begin")).text
    secret = page.split('name="secret" value="')[1].split('"')[0]
    picture = await officer.opens(f"/desk/account/totp/code.svg?secret={secret}")
    assert picture.headers["content-type"] == "image/svg+xml"
    wrong = await officer.sends("/desk/account/totp/start", secret=secret, code="abc")
    assert wrong.status_code == 422
    assert secret in wrong.text
    done = await officer.sends("/desk/account/totp/start", secret=secret, code=pyotp.TOTP(secret).now())
    assert "Kode pemulihan" in done.text
