"""What citizens and staff can do with a ticket, on a real SQLite file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from services.assembly import Services
from services.ticket_changes import ChangeRefused, Refusal, TicketChanges
from services.ticket_events import MAX_ANSWER, MAX_NOTE, Actor, Happening, record
from services.tickets import Filing, Kind, Resolution, State
from store.ticket_models import Notice, Ticket, TicketEvent

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
REASON = "Dokumen harus dikumpulkan dari tiga unit kerja"


@pytest.fixture
def file(services: Services) -> Callable[..., str]:
    def filed(kind: Kind = Kind.INFORMATION_REQUEST, conversation_id: str = "c1", now: datetime = NOW) -> str:
        fields = {"details": "laporan kinerja", "name": "Siti", "address": "Jl. Melati 5", "contact": "siti@contoh.id"}
        if kind is Kind.ASPIRATION:
            fields = {"text": "perbanyak beasiswa", "name": "Siti", "contact": "siti@contoh.id"}
        return services.tickets.file(Filing(kind, fields, "wni", conversation_id, "id"), now).number

    return filed


def refusal(change: Callable[[], object]) -> Refusal:
    with pytest.raises(ChangeRefused) as refused:
        change()
    return refused.value.problem


def test_a_note_is_encrypted_and_stands_in_the_history(services: Services, file: Callable[..., str]) -> None:
    number = file()
    services.ticket_changes.note(number, "Tahun 2024 saja sudah cukup", LATER)
    last = services.ticket_changes.history(number)[-1]
    assert (last.name, last.actor, last.text) == (Happening.NOTED, Actor.CITIZEN, "Tahun 2024 saja sudah cukup")
    with services.database.session() as session:
        assert all(b"cukup" not in (event.text or b"") for event in session.scalars(select(TicketEvent)))


@pytest.mark.parametrize("text", ["", "  \n", "x" * (MAX_NOTE + 1)])
def test_a_note_that_is_empty_or_too_long_is_refused(services: Services, file: Callable[..., str], text: str) -> None:
    number = file()
    assert refusal(lambda: services.ticket_changes.note(number, text)) is Refusal.TEXT_LENGTH


def test_a_withdrawn_ticket_is_closed_and_takes_no_more(services: Services, file: Callable[..., str]) -> None:
    number = file()
    services.ticket_changes.withdraw(number, LATER)
    view = services.tickets.view(number)
    assert (view.state, view.resolution, view.changed_on) == (State.CLOSED, Resolution.WITHDRAWN, date(2026, 11, 24))
    assert refusal(lambda: services.ticket_changes.withdraw(number)) is Refusal.CLOSED
    assert refusal(lambda: services.ticket_changes.note(number, "masih ada")) is Refusal.CLOSED
    assert refusal(lambda: services.ticket_changes.rate(number, 4)) is Refusal.NOT_ANSWERED


def test_staff_move_answer_and_close_and_the_citizen_never_sees_who(services: Services, file: Callable[..., str]) -> None:
    number = file()
    services.ticket_changes.move(number, State.REVIEWED, "dewi", LATER)
    services.ticket_changes.move(number, State.FORWARDED, "dewi", LATER)
    services.ticket_changes.answer(number, "Laporan terlampir.", Resolution.GRANTED, "dewi", LATER)
    view = services.tickets.view(number)
    assert (view.state, view.resolution) == (State.CLOSED, Resolution.GRANTED)
    names = [entry.name for entry in services.ticket_changes.history(number)]
    assert names == [Happening.RECEIVED, Happening.REVIEWED, Happening.FORWARDED, Happening.ANSWERED]
    assert services.ticket_changes.history(number)[-1].data["officer"] == "dewi"


@pytest.mark.parametrize("state", [State.RECEIVED, State.CLOSED])
def test_staff_cannot_move_a_ticket_back_or_close_it_without_an_answer(
    services: Services, file: Callable[..., str], state: State
) -> None:
    number = file()
    assert refusal(lambda: services.ticket_changes.move(number, state, "dewi")) is Refusal.SAME_STATE


def test_the_same_state_again_is_refused(services: Services, file: Callable[..., str]) -> None:
    number = file()
    services.ticket_changes.move(number, State.REVIEWED, "dewi")
    assert refusal(lambda: services.ticket_changes.move(number, State.REVIEWED, "dewi")) is Refusal.SAME_STATE


def test_an_answer_has_a_text_and_a_resolution_of_staffs_own(services: Services, file: Callable[..., str]) -> None:
    number, answer = file(), services.ticket_changes.answer
    assert refusal(lambda: answer(number, " ", Resolution.GRANTED, "dewi")) is Refusal.TEXT_LENGTH
    assert refusal(lambda: answer(number, "x" * (MAX_ANSWER + 1), Resolution.GRANTED, "dewi")) is Refusal.TEXT_LENGTH
    assert refusal(lambda: answer(number, "dicabut", Resolution.WITHDRAWN, "dewi")) is Refusal.RESOLUTION
    answer(number, "Ditolak dengan alasan.", Resolution.REFUSED, "dewi")
    assert refusal(lambda: answer(number, "lagi", Resolution.GRANTED, "dewi")) is Refusal.CLOSED


def test_an_extension_gives_the_seventeenth_working_day(services: Services, file: Callable[..., str]) -> None:
    number = file()
    assert services.ticket_changes.extend(number, REASON, "dewi", LATER) == date(2026, 12, 16)
    view = services.tickets.view(number)
    assert (view.due_on, view.extended) == (date(2026, 12, 16), True)
    last = services.ticket_changes.history(number)[-1]
    assert (last.text, last.data["from"], last.data["to"]) == (REASON, "2026-12-07", "2026-12-16")


def test_a_second_extension_is_refused(services: Services, file: Callable[..., str]) -> None:
    number = file()
    services.ticket_changes.extend(number, REASON, "dewi", LATER)
    assert refusal(lambda: services.ticket_changes.extend(number, REASON, "dewi", LATER)) is Refusal.EXTENDED_BEFORE


def test_an_extension_without_a_reason_is_refused(services: Services, file: Callable[..., str]) -> None:
    number = file()
    assert refusal(lambda: services.ticket_changes.extend(number, " ", "dewi", LATER)) is Refusal.TEXT_LENGTH


def test_an_extension_is_possible_up_to_the_due_date_in_jakarta_and_no_longer(services: Services, file: Callable[..., str]) -> None:
    number = file()
    after = datetime(2026, 12, 7, 17, 0, tzinfo=UTC)  # 8 December, 00:00 WIB
    assert refusal(lambda: services.ticket_changes.extend(number, REASON, "dewi", after)) is Refusal.OVERDUE
    services.ticket_changes.extend(number, REASON, "dewi", after - timedelta(seconds=1))


@pytest.mark.parametrize("kind", [Kind.OBJECTION, Kind.ASPIRATION, Kind.VISIT, Kind.INTERNSHIP])
def test_only_an_information_request_can_be_extended(services: Services, file: Callable[..., str], kind: Kind) -> None:
    number = file(kind)
    assert refusal(lambda: services.ticket_changes.extend(number, REASON, "dewi", LATER)) is Refusal.WRONG_KIND


def test_without_a_due_date_there_is_nothing_to_extend(services: Services, file: Callable[..., str]) -> None:
    number = file(now=datetime(2027, 12, 27, 3, 0, tzinfo=UTC))
    assert refusal(lambda: services.ticket_changes.extend(number, REASON, "dewi")) is Refusal.NO_DUE_DATE


def test_an_answer_is_rated_from_one_to_four_and_the_last_rating_counts(services: Services, file: Callable[..., str]) -> None:
    number = file()
    assert refusal(lambda: services.ticket_changes.rate(number, 4)) is Refusal.NOT_ANSWERED
    services.ticket_changes.answer(number, "Terlampir.", Resolution.GRANTED, "dewi")
    assert refusal(lambda: services.ticket_changes.rate(number, 5)) is Refusal.SCORE
    services.ticket_changes.rate(number, 2, "terlalu singkat")
    services.ticket_changes.rate(number, 4)
    ratings = [entry for entry in services.ticket_changes.history(number) if entry.name is Happening.RATED]
    assert [(entry.data["score"], entry.text) for entry in ratings] == [(2, "terlalu singkat"), (4, None)]


def test_an_unknown_number_can_not_be_changed(services: Services) -> None:
    with pytest.raises(KeyError):
        services.ticket_changes.note("PIP-20261123-0000", "halo")


def test_of_two_officers_who_answer_at_once_one_is_refused(services: Services, file: Callable[..., str]) -> None:
    number, together = file(), threading.Barrier(2)
    results: list[str] = []

    def answer(officer: str) -> None:
        together.wait()
        try:
            services.ticket_changes.answer(number, f"Jawaban {officer}", Resolution.GRANTED, officer)
            results.append("answered")
        except ChangeRefused as refused:
            results.append(refused.problem)

    threads = [threading.Thread(target=answer, args=(officer,)) for officer in ("dewi", "agus")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["answered", "closed"]
    assert [entry.name for entry in services.ticket_changes.history(number)].count(Happening.ANSWERED) == 1


@pytest.mark.parametrize(
    ("change", "meanwhile"),
    [
        pytest.param(lambda c, a, b: c.merge(a, b, "dewi"), lambda c, a, b: c.merge(b, a, "agus"), id="merged crosswise"),
        pytest.param(
            lambda c, a, b: c.merge(a, b, "dewi"),
            lambda c, a, b: c.answer(b, "Terima kasih.", Resolution.ANSWERED, "agus"),
            id="merged into an answered one",
        ),
        pytest.param(lambda c, a, b: c.note(b, "masih ada"), lambda c, a, b: c.merge(b, a, "agus"), id="note on a merged one"),
    ],
)
def test_what_adds_only_an_event_to_a_ticket_is_refused_where_that_was_closed_meanwhile(
    services: Services,
    file: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[TicketChanges, str, str], None],
    meanwhile: Callable[[TicketChanges, str, str], None],
) -> None:
    one, other = file(Kind.ASPIRATION), file(Kind.ASPIRATION)
    acts = [lambda: meanwhile(services.ticket_changes, one, other)]

    def recorded(*given: Any, **named: Any) -> None:
        if acts:
            acts.pop()()
        record(*given, **named)

    monkeypatch.setattr("services.ticket_changes.record", recorded)
    assert refusal(lambda: change(services.ticket_changes, one, other)) is Refusal.CLOSED
    assert not services.tickets.view(one).is_closed
    assert {Happening.NOTED, Happening.JOINED}.isdisjoint(entry.name for entry in services.ticket_changes.history(other))


def test_a_change_that_others_come_before_all_the_time_ends_in_an_error_and_changes_nothing(
    services: Services, file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = file()

    def overtaken(*_: object) -> None:
        raise StaleDataError

    with monkeypatch.context() as patched:
        patched.setattr("services.ticket_events.find_ticket", overtaken)
        with pytest.raises(RuntimeError, match=number):
            services.ticket_changes.note(number, "halo")
    assert Happening.NOTED not in [entry.name for entry in services.ticket_changes.history(number)]


def test_what_concerns_the_citizen_is_put_into_the_outbox_with_its_event(services: Services, file: Callable[..., str]) -> None:
    number = file()
    services.ticket_changes.move(number, State.REVIEWED, "dewi")
    services.ticket_changes.note(number, "catatan saya")
    services.ticket_changes.extend(number, REASON, "dewi", LATER)
    with services.database.session() as session:
        told = list(session.scalars(select(TicketEvent.name).join(Notice, Notice.event_id == TicketEvent.id).order_by(Notice.id)))
    assert told == [Happening.REVIEWED, Happening.EXTENDED]


def test_deleting_the_citizens_data_keeps_the_ticket_without_the_citizen(services: Services, file: Callable[..., str]) -> None:
    number = file(Kind.ASPIRATION)
    services.ticket_changes.note(number, "Hubungi saya di 081234567890 ya")
    other = file(Kind.ASPIRATION, "somebody-else")
    assert services.ticket_changes.pseudonymise("c1", LATER) == [number]
    assert services.tickets.fields_of(number) == {"text": "perbanyak beasiswa"}
    assert services.tickets.of_conversation("c1") == []
    note, why = services.ticket_changes.history(number)[-2:]
    assert note.text == "Hubungi saya di [telepon] ya"
    assert (why.name, why.data) == (Happening.DATA_REMOVED, {"reason": "permintaan_warga"})
    assert services.tickets.fields_of(other)["name"] == "Siti"


@pytest.mark.parametrize("kind", [Kind.INFORMATION_REQUEST, Kind.OBJECTION])
def test_while_the_law_demands_an_answer_name_and_contact_stay_until_it_is_given(
    services: Services, file: Callable[..., str], kind: Kind
) -> None:
    number = file(kind)
    services.ticket_changes.pseudonymise("c1")
    assert services.tickets.fields_of(number)["contact"] == "siti@contoh.id"
    assert services.tickets.of_conversation("c1") == []
    services.ticket_changes.answer(number, "Terlampir.", Resolution.GRANTED, "dewi")
    assert {"name", "contact"}.isdisjoint(services.tickets.fields_of(number))
    names = [entry.name for entry in services.ticket_changes.history(number)]
    assert names[-3:] == [Happening.DATA_MARKED, Happening.ANSWERED, Happening.DATA_REMOVED]
    with services.database.session() as session:
        assert not list(session.scalars(select(Notice)))


def test_counting_again_leaves_a_ticket_of_a_year_without_decree_as_it_is(services: Services, file: Callable[..., str]) -> None:
    number = file(now=datetime(2027, 12, 27, 3, 0, tzinfo=UTC))
    assert services.ticket_changes.recount("dewi") == []
    assert services.tickets.view(number).due_on is None
    assert [entry.name for entry in services.ticket_changes.history(number, internal=True)] == [Happening.RECEIVED]


def test_a_ticket_without_a_due_date_gets_one_once_the_days_off_of_its_year_are_decreed(
    services: Services, file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monday = datetime(2027, 12, 27, 3, 0, tzinfo=UTC)
    number, answered = file(now=monday), file(now=monday)
    services.ticket_changes.answer(answered, "Terlampir.", Resolution.GRANTED, "dewi")
    assert services.ticket_changes.count_undated() == []
    monkeypatch.setattr("services.calendar.decreed_days_off", lambda year: frozenset())
    assert services.ticket_changes.count_undated() == [number]
    assert services.tickets.view(number).due_on == date(2028, 1, 10)
    last = services.ticket_changes.history(number, internal=True)[-1]
    assert (last.name, last.actor, last.data) == (Happening.RECOUNTED, Actor.SYSTEM, {"from": None, "to": "2028-01-10"})
    assert services.ticket_changes.count_undated() == []


def test_the_submission_key_is_nowhere_in_the_database(services: Services) -> None:
    filing = Filing(Kind.ASPIRATION, {"text": "x"}, "x", "c1", "id", submission_key="rahasia-konfirmasi")
    receipt = services.tickets.file(filing)
    with services.database.session() as session:
        (ticket,) = session.scalars(select(Ticket))
    assert "rahasia-konfirmasi" not in str(vars(ticket))
    assert services.tickets.file(filing).access_code == receipt.access_code
