from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from services.assembly import Services
from services.tickets import Filing, Kind
from store.models import Ticket

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def filing(kind: Kind = Kind.INFORMATION_REQUEST, **changes: str) -> Filing:
    return Filing(kind, {"name": "Siti", "details": "laporan"}, "wni", changes.get("conversation_id", "c1"), "id")


def test_a_receipt_holds_number_code_and_due_date(services: Services) -> None:
    receipt = services.tickets.file(filing(), NOW)
    assert receipt.number.startswith("PIP-20261123-")
    assert len(receipt.access_code) == 6
    assert receipt.due_on == date(2026, 12, 7)


def test_an_aspiration_has_no_due_date(services: Services) -> None:
    assert services.tickets.file(filing(Kind.ASPIRATION), NOW).due_on is None


def test_an_objection_is_due_in_thirty_working_days(services: Services) -> None:
    assert services.tickets.file(filing(Kind.OBJECTION), NOW).due_on == date(2027, 1, 8)


def test_a_year_without_decree_gives_a_ticket_without_a_guessed_date(services: Services) -> None:
    receipt = services.tickets.file(filing(), datetime(2027, 12, 27, 3, 0, tzinfo=UTC))
    assert receipt.due_on is None


def test_the_same_confirmation_again_makes_no_second_ticket(services: Services) -> None:
    once = filing()
    assert services.tickets.file(once, NOW) == services.tickets.file(once, NOW)
    with services.database.session() as session:
        assert len(list(session.scalars(select(Ticket)))) == 1


def test_only_number_and_code_together_find_a_ticket(services: Services) -> None:
    receipt = services.tickets.file(filing(), NOW)
    assert services.tickets.find(receipt.number, receipt.access_code, "stranger") is not None
    assert services.tickets.find(receipt.number, "000000", "stranger") is None
    assert services.tickets.find("PIP-20261123-0000", receipt.access_code, "stranger") is None


def test_guessing_a_code_locks_the_ticket(services: Services) -> None:
    receipt = services.tickets.file(filing(), NOW)
    for n in range(5):
        services.tickets.find(receipt.number, f"00000{n}", f"attacker-{n}")
    assert services.tickets.find(receipt.number, receipt.access_code, "owner") is None


def test_personal_fields_are_unreadable_in_the_database(services: Services) -> None:
    receipt = services.tickets.file(filing(), NOW)
    with services.database.session() as session:
        ticket = session.scalar(select(Ticket))
    assert ticket is not None
    assert b"Siti" not in ticket.fields
    assert receipt.access_code not in ticket.access_code_hash
    assert services.tickets.fields_of(receipt.number)["name"] == "Siti"


def test_an_unknown_number_has_no_fields(services: Services) -> None:
    with pytest.raises(KeyError):
        services.tickets.fields_of("PIP-20261123-0000")


def test_a_conversation_lists_its_own_tickets_newest_first(services: Services) -> None:
    first = services.tickets.file(filing(conversation_id="mine"), NOW)
    second = services.tickets.file(filing(conversation_id="mine"), NOW)
    services.tickets.file(filing(conversation_id="other"), NOW)
    assert [ticket.number for ticket in services.tickets.of_conversation("mine")] == [second.number, first.number]
