"""Filing a ticket, finding it again, and what it shows of itself; on a real SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from services.attempts import ALLOWED_FAILURES, AttemptLimiter
from services.calendar import WorkingCalendar
from services.ticket_events import INTERNAL, Actor, Happening, record
from services.tickets import CROCKFORD, Filing, Kind, Receipt, Resolution, State, Tickets, TicketView
from store.database import Database
from store.encryption import Encryption
from store.models import Attempt
from store.ticket_models import Ticket, TicketEvent
from store.turn_queue import HELD, Place, TurnLost

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LATE_EVENING = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)
"""Half past midnight of the 24th in Jakarta."""
UNKNOWN = "PIP-20261123-0000"


@pytest.fixture
def tickets(database: Database, encryption: Encryption) -> Tickets:
    return Tickets(database, encryption, WorkingCalendar(), AttemptLimiter(database))


def filing(kind: Kind = Kind.INFORMATION_REQUEST, **changes: str) -> Filing:
    return Filing(kind, {"name": "Siti", "details": "laporan"}, "wni", changes.get("conversation_id", "c1"), "id")


def stored(database: Database) -> list[Ticket]:
    with database.session() as session:
        return list(session.scalars(select(Ticket).order_by(Ticket.id)))


def change(database: Database, number: str, **columns: object) -> None:
    with database.session() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.number == number)).one()
        for name, value in columns.items():
            setattr(ticket, name, value)


# Filing


def test_a_receipt_holds_number_code_and_due_date(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), NOW)
    assert receipt.number.startswith("PIP-20261123-")
    assert len(receipt.access_code) == 6
    assert (receipt.kind, receipt.received_on, receipt.due_on) == (Kind.INFORMATION_REQUEST, date(2026, 11, 23), date(2026, 12, 7))


@pytest.mark.parametrize("kind", [Kind.ASPIRATION, Kind.VISIT, Kind.INTERNSHIP])
def test_what_no_law_sets_a_limit_for_has_no_due_date(tickets: Tickets, kind: Kind) -> None:
    receipt = tickets.file(filing(kind), NOW)
    assert receipt.number.startswith(f"{kind}-")
    assert receipt.due_on is None


def test_an_objection_is_due_in_thirty_working_days(tickets: Tickets) -> None:
    assert tickets.file(filing(Kind.OBJECTION), NOW).due_on == date(2027, 1, 8)


def test_the_day_of_receipt_is_jakartas_and_the_time_limit_begins_after_the_cut_off_a_day_later(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), LATE_EVENING)
    assert receipt.number.startswith("PIP-20261124-")
    assert receipt.received_on == date(2026, 11, 24)
    assert receipt.due_on == date(2026, 12, 8)
    assert tickets.file(filing(), datetime(2026, 11, 23, 9, 0, tzinfo=UTC)).due_on == date(2026, 12, 8)


def test_a_year_without_decree_gives_a_ticket_without_a_guessed_date(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), datetime(2027, 12, 27, 3, 0, tzinfo=UTC))
    assert receipt.due_on is None


def test_a_ticket_filed_without_a_given_moment_is_received_now(tickets: Tickets, database: Database) -> None:
    before = datetime.now(UTC)
    tickets.file(filing())
    assert before <= stored(database)[0].received_at <= datetime.now(UTC)


def test_all_that_was_filed_is_stored(tickets: Tickets, database: Database) -> None:
    receipt = tickets.file(Filing(Kind.ASPIRATION, {"text": "beasiswa"}, "pendidikan", "c7", "en"), NOW)
    (ticket,) = stored(database)
    assert (ticket.number, ticket.kind, ticket.subject) == (receipt.number, "ASP", "pendidikan")
    assert (ticket.conversation_id, ticket.locale, ticket.received_at) == ("c7", "en", NOW)
    assert tickets.fields_of(receipt.number) == {"text": "beasiswa"}


def test_a_ticket_begins_with_the_event_that_its_citizen_filed_it(tickets: Tickets, database: Database) -> None:
    tickets.file(filing(), NOW)
    with database.session() as session:
        (event,) = session.scalars(select(TicketEvent))
    assert (event.ticket_id, event.at) == (stored(database)[0].id, NOW)
    assert (event.name, event.actor) == (Happening.RECEIVED, Actor.CITIZEN)


def test_personal_fields_are_unreadable_in_the_database(tickets: Tickets, database: Database) -> None:
    receipt = tickets.file(filing(), NOW)
    (ticket,) = stored(database)
    assert b"Siti" not in ticket.fields
    assert receipt.access_code not in ticket.access_code_hash
    assert tickets.fields_of(receipt.number)["name"] == "Siti"


def test_the_same_confirmation_again_shows_the_same_receipt_and_makes_no_second_ticket(tickets: Tickets, database: Database) -> None:
    once = filing()
    receipt = tickets.file(once, LATE_EVENING)
    assert tickets.file(once, LATE_EVENING + timedelta(days=3)) == receipt
    assert len(stored(database)) == 1


def test_two_confirmations_of_one_form_at_the_same_instant_make_one_ticket(
    tickets: Tickets, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, number = filing(), Tickets._new_number
    first: list[Receipt] = []

    def meanwhile(kind: Kind, now: datetime) -> str:
        if not first:  # between the look for an earlier ticket and the writing of this one, another process files it
            first.append(Receipt("", "", kind, now.date(), None))
            first[0] = tickets.file(once, NOW)
        return number(kind, now)

    monkeypatch.setattr(Tickets, "_new_number", staticmethod(meanwhile))
    assert tickets.file(once, NOW) == first[0]
    assert len(stored(database)) == 1


@pytest.fixture
def tails(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the tails of the next numbers."""

    def set_tails(given: str) -> None:
        numbers: Iterator[str] = (f"PIP-20261123-{tail}" for tail in given.split())
        monkeypatch.setattr(Tickets, "_new_number", staticmethod(lambda _kind, _now: next(numbers)))

    return set_tails


def test_a_number_that_is_taken_is_given_to_nobody_else(tickets: Tickets, tails: Callable[[str], None]) -> None:
    tails("AAAA AAAA AAAA AAAA AAAA BBBB")
    assert tickets.file(filing(), NOW).number == "PIP-20261123-AAAA"
    assert tickets.file(filing(), NOW).number == "PIP-20261123-BBBB"


def test_where_no_number_is_free_the_failure_is_said_and_nothing_is_filed(
    tickets: Tickets, tails: Callable[[str], None], database: Database
) -> None:
    tails("AAAA AAAA AAAA AAAA AAAA AAAA BBBB")
    tickets.file(filing(), NOW)
    with pytest.raises(RuntimeError, match=r"^no free ticket number was found in five tries$"):
        tickets.file(filing(), NOW)
    assert len(stored(database)) == 1


def test_a_turn_that_was_lost_to_another_process_files_nothing(tickets: Tickets, database: Database) -> None:
    token = HELD.set(Place(1, "c1", 0))
    try:
        with pytest.raises(TurnLost):
            tickets.file(filing(conversation_id="c1"), NOW)
        tickets.file(filing(conversation_id="c2"), NOW)
    finally:
        HELD.reset(token)
    assert [ticket.conversation_id for ticket in stored(database)] == ["c2"]


# The access code


def test_a_code_is_made_of_all_letters_and_digits_that_cant_be_confused_and_ends_in_a_digit(tickets: Tickets) -> None:
    codes = [tickets._code_for(f"key {n}") for n in range(600)]
    for place in range(5):
        assert {code[place] for code in codes} == set(CROCKFORD)
    assert {code[5] for code in codes} == set("0123456789")
    assert all(len({code[place] for place in range(6)}) > 1 for code in codes)


def test_the_places_of_a_code_say_nothing_of_each_other(tickets: Tickets) -> None:
    codes = {tickets._code_for(f"key {n}") for n in range(600)}
    for one in range(6):
        for other in range(one):
            assert len({(code[one], code[other]) for code in codes}) > 150


@pytest.mark.parametrize(
    ("submission_key", "code", "found_by"),
    [
        ("0123456789abcdef", "GHN9S0", "a53e8929347b6036"),
        ("fedcba9876543210", "2BY9J1", "f4cce5c933db808e"),
        ("00112233", "2F9KB8", "f6f2634cd4180ef9"),
    ],
)
def test_who_confirms_again_after_an_upgrade_finds_the_same_ticket_and_code(
    database: Database, submission_key: str, code: str, found_by: str
) -> None:
    encryption = Encryption(["c2FwYS1zZXRuZWctdGVzdC1rZXktMzItYnl0ZXMhISE="])
    tickets = Tickets(database, encryption, WorkingCalendar(), AttemptLimiter(database))
    assert tickets.file(replace(filing(), submission_key=submission_key), NOW).access_code == code
    assert stored(database)[0].submission_hash.startswith(found_by)


# Finding


def test_only_number_and_code_together_find_a_ticket(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), NOW)
    found = tickets.find(receipt.number, receipt.access_code, "stranger")
    assert found is not None
    assert found.number == receipt.number
    assert tickets.find(receipt.number, "000000", "stranger") is None
    assert tickets.find(UNKNOWN, receipt.access_code, "stranger") is None


def test_guessing_a_code_locks_the_ticket(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), NOW)
    for n in range(ALLOWED_FAILURES):
        assert tickets.find(receipt.number, f"00000{n}", f"attacker-{n}") is None
    assert tickets.find(receipt.number, receipt.access_code, "owner") is None


def test_guessing_numbers_locks_the_conversation_and_nobody_else(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), NOW)
    for n in range(ALLOWED_FAILURES):
        assert tickets.find(f"PIP-20261123-000{n}", receipt.access_code, "attacker") is None
    assert tickets.find(receipt.number, receipt.access_code, "attacker") is None
    assert tickets.find(receipt.number, receipt.access_code, "owner") is not None


def test_the_right_code_forgets_the_mistyped_ones_before_it(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), NOW)
    for _ in range(3):
        for n in range(ALLOWED_FAILURES - 1):
            assert tickets.find(receipt.number, f"00000{n}", "owner") is None
        assert tickets.find(receipt.number, receipt.access_code, "owner") is not None


def test_asking_during_the_pause_does_not_make_it_longer(tickets: Tickets, database: Database) -> None:
    receipt = tickets.file(filing(), NOW)
    for n in range(ALLOWED_FAILURES):
        tickets.find(receipt.number, f"00000{n}", "attacker")
    with database.session() as session:
        before = list(session.scalars(select(Attempt.locked_until).order_by(Attempt.key)))
    tickets.find(receipt.number, "000009", "attacker")
    with database.session() as session:
        assert list(session.scalars(select(Attempt.locked_until).order_by(Attempt.key))) == before


def test_an_unknown_number_shows_nothing_and_has_no_fields(tickets: Tickets) -> None:
    tickets.file(filing(), NOW)
    with pytest.raises(KeyError, match=UNKNOWN):
        tickets.fields_of(UNKNOWN)
    with pytest.raises(KeyError, match=UNKNOWN):
        tickets.view(UNKNOWN)


def test_a_conversation_lists_its_own_tickets_newest_first(tickets: Tickets) -> None:
    first = tickets.file(filing(conversation_id="mine"), NOW)
    second = tickets.file(filing(conversation_id="mine"), NOW)
    tickets.file(filing(conversation_id="other"), NOW)
    assert [ticket.number for ticket in tickets.of_conversation("mine")] == [second.number, first.number]


# What a citizen may see


def test_a_new_ticket_is_received_and_open(tickets: Tickets) -> None:
    receipt = tickets.file(filing(), LATE_EVENING)
    assert tickets.view(receipt.number) == TicketView(
        number=receipt.number,
        kind=Kind.INFORMATION_REQUEST,
        state=State.RECEIVED,
        resolution=None,
        received_on=date(2026, 11, 24),
        due_on=date(2026, 12, 8),
        changed_on=date(2026, 11, 24),
        extended=False,
    )


def test_a_ticket_shows_where_it_is_how_it_ended_and_that_it_was_extended(tickets: Tickets, database: Database) -> None:
    number = tickets.file(filing(), NOW).number
    change(database, number, state=State.CLOSED, resolution=Resolution.GRANTED, extended_from=date(2026, 12, 7))
    view = tickets.view(number)
    assert (view.state, view.resolution, view.extended) == (State.CLOSED, Resolution.GRANTED, True)


def test_the_day_of_the_last_change_is_that_of_the_last_event_a_citizen_may_see(tickets: Tickets, database: Database) -> None:
    number = tickets.file(filing(), NOW).number
    with database.session() as session:
        ticket = session.scalars(select(Ticket)).one()
        record(session, ticket, Happening.REVIEWED, Actor.OFFICER, LATE_EVENING + timedelta(days=1))
        for name in INTERNAL:
            record(session, ticket, name, Actor.SYSTEM, NOW + timedelta(days=9))
    tickets.file(filing(), NOW + timedelta(days=9))
    assert tickets.view(number).changed_on == date(2026, 11, 25)


def test_a_ticket_whose_history_was_deleted_last_changed_when_it_came(tickets: Tickets, database: Database) -> None:
    number = tickets.file(filing(), LATE_EVENING).number
    with database.session() as session:
        session.delete(session.scalars(select(TicketEvent)).one())
    assert tickets.view(number).changed_on == date(2026, 11, 24)


@pytest.mark.parametrize("resolution", Resolution)
def test_an_answer_can_be_rated_and_a_ticket_without_one_can_not(tickets: Tickets, database: Database, resolution: Resolution) -> None:
    number = tickets.file(filing(), NOW).number
    assert not tickets.view(number).is_closed
    assert not tickets.view(number).can_be_rated
    change(database, number, state=State.CLOSED, resolution=resolution)
    assert tickets.view(number).is_closed
    assert tickets.view(number).can_be_rated == (resolution not in (Resolution.WITHDRAWN, Resolution.MERGED))
